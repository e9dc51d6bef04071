// Sealing: what may hold a secret (checkpoints, shown secrets) is encrypted and authenticated with the key of this
// state (libsodium, XChaCha20-Poly1305; key and nonce from the system's random source). Knows nothing of clipboards.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

namespace jarvis::pipeline {

class Seal {
 public:
  // Reads the 32 bytes (hex text) from `file`. Error(Usage) naming the file when it is missing, readable by others than
  // its owner, or not a key.
  static Seal from_file(const std::filesystem::path& file);
  // Makes a new key file, mode 0600, synced to disk (written aside, then linked into place: the first of two wins), and
  // reads it back.
  static Seal create(const std::filesystem::path& file);

  // Stands in for a key that is not there: whatever needs the key throws Error(Usage) with this reason. Runs can be
  // listed so.
  static Seal missing(std::string why);

  // `about` names what the bytes are (run, step): the same words must be given to open, so a blob moved elsewhere is
  // refused.
  std::string seal(std::string_view plain, std::string_view about) const;
  // Error(Permanent) when the key is another one or the bytes were changed.
  std::string open(std::string_view sealed, std::string_view about) const;

  // The same as text (base64, no line breaks) for YAML: `!sealed DATA`.
  std::string seal_text(std::string_view plain, std::string_view about) const;
  std::string open_text(std::string_view text, std::string_view about) const;

  // Names the key without giving it away: the first 16 hex digits of a keyed hash. Kept in the journal to tell a wrong
  // key from a damaged record.
  std::string fingerprint() const;
  // A short word only this key can make for `text` (confirmation codes of one-off commands): `length` characters
  // a-z2-9.
  std::string code(std::string_view text, int length) const;

  Seal(const Seal&) = default;
  Seal& operator=(const Seal&) = default;
  ~Seal();  // wipes the key

 private:
  Seal() = default;
  void need_key() const;

  std::array<unsigned char, 32> key_{};
  std::string missing_;  // why there is no key
};

// BLAKE2b, hex: digests of specs and plans.
std::string digest(std::string_view text);
// `length` random characters of a-z2-9 without lookalikes, from the system's random source: run ids, confirmation
// codes.
std::string random_word(int length);

}  // namespace jarvis::pipeline
