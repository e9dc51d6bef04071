// The half of openssh_key.h that needs no library: reading public key lines and refusing what no sshd would take.
#include <array>
#include <optional>

#include "pipeline/error.h"
#include "workers/key_wire.h"
#include "workers/openssh_key.h"

namespace jarvis::workers {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::array<std::string_view, 7> kTypes = {"ssh-ed25519",
                                                    "ecdsa-sha2-nistp256",
                                                    "ecdsa-sha2-nistp384",
                                                    "ecdsa-sha2-nistp521",
                                                    "ssh-rsa",
                                                    "sk-ssh-ed25519@openssh.com",
                                                    "sk-ecdsa-sha2-nistp256@openssh.com"};
constexpr std::size_t kLeastRsaBits = 1024;  // OpenSSH's RequiredRSASize

bool known(std::string_view type) {
  for (const std::string_view one : kTypes) {
    if (one == type) return true;
  }
  return false;
}

std::size_t bits_of(std::string_view number) {
  while (!number.empty() && number.front() == 0) number.remove_prefix(1);
  if (number.empty()) return 0;
  std::size_t bits = 8 * number.size();
  for (unsigned mask = 0x80; (static_cast<unsigned char>(number.front()) & mask) == 0; mask >>= 1U) --bits;
  return bits;
}

// The reason why these bytes (after the type) are no key of this type, or nothing.
std::optional<std::string> fault_of(std::string_view type, std::string_view rest) {
  std::vector<std::string_view> parts;
  while (!rest.empty()) {
    const auto part = take_string(rest);
    if (!part) return "its bytes are cut short";
    parts.push_back(*part);
  }
  const bool security_key = type.starts_with("sk-");
  const bool curve = type.find("ed25519") == std::string_view::npos;
  const std::size_t wanted = (curve ? 2U : 1U) + (security_key ? 1U : 0U);
  if (parts.size() != wanted)
    return "it has " + std::to_string(parts.size()) + " parts where its type has " + std::to_string(wanted);
  if (!curve && parts[0].size() != 32) return "its point is not 32 bytes long";
  if (type == "ssh-rsa") {
    const std::size_t bits = bits_of(parts[1]);
    if (bits < kLeastRsaBits)
      return "an RSA key of " + std::to_string(bits) + " bits is too short, at least " + std::to_string(kLeastRsaBits);
  } else if (curve) {
    const std::size_t at = type.find("nistp");
    if (parts[0] != type.substr(at, 8)) return "its curve is not that of its type";
    if (parts[1].empty() || parts[1].front() != 4) return "its point is not an uncompressed one";
  }
  return std::nullopt;
}

std::string types() {
  std::string text;
  for (const std::string_view one : kTypes) text += (text.empty() ? "" : ", ") + std::string(one);
  return text;
}

void check_type(const std::string& type) {
  if (known(type)) return;
  if (type == "ssh-dss") {
    throw Error(
        Kind::Usage,
        "ssh-dss keys (DSA) are not accepted by any current OpenSSH; make an ed25519 key (ssh-keygen -t ed25519)");
  }
  throw Error(Kind::Usage, "`" + type + "` is not a key type; a public key line begins with one of " + types());
}

std::string_view word_of(std::string_view& rest) {
  const std::size_t begin = rest.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return rest = {};
  rest.remove_prefix(begin);
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
  rest.remove_prefix(word.size());
  return word;
}

}  // namespace

std::string PublicKey::line() const {
  return type + ' ' + base64(blob) + (comment.empty() ? "" : ' ' + comment);
}

PublicKey public_key_from_blob(std::string_view blob) {
  std::string_view rest = blob;
  const auto type = take_string(rest);
  if (!type) throw Error(Kind::Usage, "is not a public key: its bytes are cut short");
  check_type(std::string(*type));
  if (const auto fault = fault_of(*type, rest))
    throw Error(Kind::Usage, "is not a " + std::string(*type) + " key: " + *fault);
  return {std::string(*type), std::string(blob), {}};
}

PublicKey check_public_key(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  for (const char c : line) {
    // A second line would be a second entry of authorized_keys, with options of its own.
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t')
      throw Error(Kind::Usage, "is more than one line, or has control characters");
  }
  std::string_view rest = line;
  const std::string type(word_of(rest));
  if (type.empty()) throw Error(Kind::Usage, "is empty; a public key line is `ssh-ed25519 AAAA... comment`");
  check_type(type);
  const auto blob = from_base64(word_of(rest));
  if (!blob || blob->empty()) throw Error(Kind::Usage, "the part after " + type + " is not base64, or was cut");
  std::string_view inner = *blob;
  const auto inner_type = take_string(inner);
  if (!inner_type || *inner_type != type) {
    throw Error(Kind::Usage, "says " + type + " but its bytes " +
                                 (inner_type && known(*inner_type) ? "are a key of type " + std::string(*inner_type)
                                                                   : "are not one"));
  }
  PublicKey key = public_key_from_blob(*blob);
  const std::size_t begin = rest.find_first_not_of(" \t");
  if (begin != std::string_view::npos) key.comment = rest.substr(begin);
  return key;
}

}  // namespace jarvis::workers
