#include "workers/digest.h"

#include <openssl/evp.h>

#include <array>

#include "pipeline/error.h"

namespace jarvis::workers {

std::string sha256_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> buffer{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), buffer.data(), &size, EVP_sha256(), nullptr) != 1)
    throw pipeline::Error(pipeline::Kind::Bug, "libcrypto makes no digest");
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[buffer[i] >> 4U];
    text += kDigits[buffer[i] & 15U];
  }
  return text;
}

}  // namespace jarvis::workers
