#include "workers/openssh_key.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <memory>

#include "pipeline/error.h"
#include "workers/key_wire.h"

namespace jarvis::workers {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::string_view kMagic("openssh-key-v1\0", 15);
constexpr std::string_view kBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view kEnd = "-----END OPENSSH PRIVATE KEY-----";

std::string digest_of(std::string_view bytes, const EVP_MD* kind) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> buffer{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), buffer.data(), &size, kind, nullptr) != 1) {
    throw Error(Kind::Bug, "libcrypto makes no digest");
  }
  return {buffer.begin(), buffer.begin() + size};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4U];
    text += digits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

struct RawPair {
  std::string seed, point;  // 32 bytes each
};

RawPair new_ed25519() {
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"),
                                                           EVP_PKEY_free);
  std::array<unsigned char, 32> seed{};
  std::array<unsigned char, 32> point{};
  std::size_t seed_size = seed.size();
  std::size_t point_size = point.size();
  if (!key || EVP_PKEY_get_raw_private_key(key.get(), seed.data(), &seed_size) != 1 ||
      EVP_PKEY_get_raw_public_key(key.get(), point.data(), &point_size) != 1) {
    throw Error(Kind::Permanent, "libcrypto makes no ed25519 key");
  }
  return {{seed.begin(), seed.end()}, {point.begin(), point.end()}};
}

std::string armoured(std::string_view bytes) {
  constexpr std::size_t width = 70;  // as ssh-keygen breaks its lines
  std::string text(kBegin);
  const std::string body = base64(bytes);
  for (std::size_t at = 0; at < body.size(); at += width) text += '\n' + body.substr(at, width);
  text += '\n';
  text += kEnd;
  text += '\n';
  return text;
}

}  // namespace

std::string PublicKey::fingerprint() const {
  std::string text = base64(digest_of(blob, EVP_sha256()));
  text.resize(text.find_last_not_of('=') + 1);
  return "SHA256:" + text;
}

std::vector<std::string> sshfp_of(const PublicKey& key) {
  std::string number;
  if (key.type == "ssh-rsa") number = "1";
  if (key.type.starts_with("ecdsa-sha2-")) number = "3";
  if (key.type == "ssh-ed25519") number = "4";
  if (number.empty()) throw Error(Kind::Usage, "there is no SSHFP number for a key of type " + key.type);
  return {number + " 1 " + hex(digest_of(key.blob, EVP_sha1())),
          number + " 2 " + hex(digest_of(key.blob, EVP_sha256()))};
}

KeyPair make_ed25519_pair(const std::string& comment) {
  const RawPair raw = new_ed25519();
  PublicKey key{"ssh-ed25519", {}, comment};
  put_string(key.blob, key.type);
  put_string(key.blob, raw.point);

  std::array<unsigned char, 4> check{};
  if (RAND_bytes(check.data(), static_cast<int>(check.size())) != 1) {
    throw Error(Kind::Permanent, "libcrypto gives no random bytes");
  }
  std::string secret;
  for (int twice = 0; twice < 2; ++twice) secret.append(check.begin(), check.end());
  secret += key.blob;
  put_string(secret, raw.seed + raw.point);
  put_string(secret, comment);
  for (char pad = 1; secret.size() % 8 != 0; ++pad) secret += pad;

  std::string bytes(kMagic);
  put_string(bytes, "none");  // cipher
  put_string(bytes, "none");  // key derivation
  put_string(bytes, "");      // its options
  put_number(bytes, 1);       // keys in here
  put_string(bytes, key.blob);
  put_string(bytes, secret);
  return {armoured(bytes), key.line()};
}

PublicKey public_half(std::string_view private_text) {
  const Error refusal(Kind::Usage, "is not a private key in OpenSSH's own format (ssh-keygen -t ed25519 makes one)");
  const std::size_t begin = private_text.find(kBegin);
  const std::size_t end = private_text.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) throw Error(refusal);
  std::string body;
  for (const char c : private_text.substr(begin + kBegin.size(), end - begin - kBegin.size())) {
    if (c != '\n' && c != '\r' && c != ' ') body += c;
  }
  const auto bytes = from_base64(body);
  if (!bytes || !bytes->starts_with(kMagic)) throw Error(refusal);
  std::string_view rest = std::string_view(*bytes).substr(kMagic.size());
  const auto cipher = take_string(rest);
  const auto derivation = take_string(rest);
  const auto options = take_string(rest);
  const auto count = take_number(rest);
  const auto blob = take_string(rest);
  if (!cipher || !derivation || !options || count != 1U || !blob) throw Error(refusal);
  if (*cipher != "none") throw Error(Kind::Usage, "is encrypted with a passphrase; jarvis needs it without one");
  return public_key_from_blob(*blob);
}

}  // namespace jarvis::workers
