#include "workers/password.h"

#include <crypt.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string_view>

#include "pipeline/error.h"

namespace jarvis::workers {

namespace {

template <std::size_t Size>
std::array<char, Size> random_bytes() {
  std::array<char, Size> bytes{};
  std::size_t have = 0;
  while (have < Size) {
    const ssize_t n = ::getrandom(bytes.data() + have, Size - have, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw pipeline::system_error("reading the system's random source");
    have += static_cast<std::size_t>(n);
  }
  return bytes;
}

std::string hashed(const std::string& password, const char* setting) {
  // 32 KiB, too much for a stack that the caller did not plan.
  const auto scratch = std::make_unique<crypt_data>();
  const char* hash = ::crypt_rn(password.c_str(), setting, scratch.get(), sizeof(crypt_data));
  return hash != nullptr ? std::string(hash) : std::string();
}

}  // namespace

std::string random_password() {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t length = 24;
  constexpr unsigned fair =
      256 / alphabet.size() * alphabet.size();  // bytes from here on would favour the first letters
  std::string password;
  while (password.size() < length) {
    for (const char c : random_bytes<32>()) {
      const unsigned value = static_cast<unsigned char>(c);
      if (value < fair && password.size() < length) password += alphabet[value % alphabet.size()];
    }
  }
  return password;
}

std::string crypt_hash(const std::string& password) {
  const auto random = random_bytes<16>();
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (::crypt_gensalt_rn("$6$", 0, random.data(), random.size(), setting.data(), setting.size()) == nullptr) {
    throw pipeline::system_error("making a salt for the password");
  }
  std::string hash = hashed(password, setting.data());
  if (hash.empty()) throw pipeline::system_error("hashing the password");
  return hash;
}

bool hash_fits(const std::string& password, const std::string& hash) {
  return hash.starts_with('$') && hashed(password, hash.c_str()) == hash;
}

}  // namespace jarvis::workers
