// A sealed text is
//   1 byte  format, 1
//   8 bytes fingerprint of the key, to say "another key" instead of "damaged"
//  24 bytes nonce
//   n bytes XChaCha20-Poly1305 ciphertext, 16 bytes longer than the text; associated data: `about`
#include "pipeline/seal.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "pipeline/error.h"

namespace jarvis::pipeline {
namespace {

constexpr char kFormat = 1;
constexpr std::size_t kName = 8;
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kHead = 1 + kName + kNonce;
constexpr std::string_view kLetters = "abcdefghjkmnpqrstuvwxyz23456789";  // no i, l, o, 0, 1
constexpr int kText = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;

void need_sodium() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) throw Error(Kind::Permanent, "libsodium cannot start: no random source");
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string hex(const std::string& raw) {
  std::string text(raw.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes(std::string_view{raw}), raw.size());
  text.pop_back();
  return text;
}

std::string hash(std::string_view text, std::size_t length, const unsigned char* key, std::size_t key_length) {
  need_sodium();
  std::string out(std::max(length, std::size_t{crypto_generichash_BYTES_MIN}), '\0');
  crypto_generichash(bytes(out), out.size(), bytes(text), text.size(), key, key_length);
  out.resize(length);
  return out;
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

void write_all(int descriptor, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("key file " + name + ": cannot write");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Text that is wiped when it goes, so that the key stands in memory once.
struct Wiped {
  std::string text;
  explicit Wiped(std::size_t size) : text(size, '\0') {}
  ~Wiped() { sodium_memzero(text.data(), text.size()); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
};

std::size_t read_some(int descriptor, std::string& into, const std::string& name) {
  std::size_t size = 0;
  while (size < into.size()) {
    const ssize_t n = ::read(descriptor, into.data() + size, into.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("key file " + name + ": cannot read");
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  return size;
}

Error key_error(const std::filesystem::path& file, const std::string& why) {
  return {Kind::Usage, "key file " + file.string() + ": " + why};
}

}  // namespace

Seal Seal::missing(std::string why) {
  Seal seal;
  seal.missing_ = std::move(why);
  return seal;
}

void Seal::need_key() const {
  if (!missing_.empty()) throw Error(Kind::Usage, missing_);
}

Seal Seal::from_file(const std::filesystem::path& file) {
  need_sodium();
  const File key_file(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (key_file.get() < 0) {
    throw key_error(file, std::string(system_error("cannot open").what()) +
                              "; what is sealed can only be opened with it: put it back, or set key_file");
  }
  struct stat status {};
  if (fstat(key_file.get(), &status) != 0) throw system_error("key file " + file.string());
  if (!S_ISREG(status.st_mode)) throw key_error(file, "not a regular file");
  if ((status.st_mode & 077U) != 0) {
    throw key_error(file, "others than its owner may use it; if nobody has read it: chmod 600 " + file.string());
  }

  constexpr std::size_t kMost = kKey * 2 + 2;  // a line end, and one more byte to see that there is more
  Wiped text(kMost);
  const std::size_t size = read_some(key_file.get(), text.text, file.string());
  const bool framed = size == kKey * 2 || (size == kKey * 2 + 1 && text.text[kKey * 2] == '\n');
  Seal seal;
  std::size_t length = 0;
  const char* end = nullptr;
  if (!framed || sodium_hex2bin(seal.key_.data(), kKey, text.text.data(), kKey * 2, nullptr, &length, &end) != 0 ||
      length != kKey) {
    throw key_error(file, "not a key: one line of 64 hex digits is expected");
  }
  return seal;
}

Seal Seal::create(const std::filesystem::path& file) {
  need_sodium();
  std::array<unsigned char, kKey> key{};
  randombytes_buf(key.data(), key.size());
  Wiped text(kKey * 2 + 1);
  sodium_bin2hex(text.text.data(), text.text.size(), key.data(), key.size());
  sodium_memzero(key.data(), key.size());
  text.text.back() = '\n';  // over the terminator

  const std::string name = file.string();
  const std::string aside = name + "." + random_word(8);
  const File written(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (written.get() < 0) throw system_error("key file " + aside + ": cannot create");
  try {
    write_all(written.get(), text.text, aside);
    if (fsync(written.get()) != 0) throw system_error("key file " + aside + ": cannot sync");
    // link, not rename: another jarvis may have made the key meanwhile, and sealed with it.
    if (link(aside.c_str(), name.c_str()) != 0 && errno != EEXIST)
      throw system_error("key file " + name + ": cannot link");
  } catch (...) {
    unlink(aside.c_str());
    throw;
  }
  unlink(aside.c_str());
  const std::filesystem::path parent = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const File directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || fsync(directory.get()) != 0)
    throw system_error("directory of key file " + name + ": cannot sync");
  return from_file(file);
}

Seal::~Seal() {
  sodium_memzero(key_.data(), key_.size());
}

std::string Seal::seal(std::string_view plain, std::string_view about) const {
  need_key();
  std::string out(kHead + plain.size() + kTag, '\0');
  out[0] = kFormat;
  out.replace(1, kName, hash("jarvis key", kName, key_.data(), key_.size()));
  unsigned char* const nonce = bytes(out) + 1 + kName;
  randombytes_buf(nonce, kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes(out) + kHead, nullptr, bytes(plain), plain.size(), bytes(about),
                                             about.size(), nullptr, nonce, key_.data());
  return out;
}

std::string Seal::open(std::string_view sealed, std::string_view about) const {
  need_key();
  const std::string what = "sealed text of " + std::string(about);
  if (sealed.size() < kHead + kTag) throw Error(Kind::Permanent, what + ": too short, damaged");
  if (sealed[0] != kFormat) {
    throw Error(Kind::Permanent, what + ": damaged, or of a newer jarvis (format " +
                                     std::to_string(static_cast<unsigned char>(sealed[0])) + ", this one reads 1)");
  }
  const std::string key_name = hash("jarvis key", kName, key_.data(), key_.size());
  if (sealed.substr(1, kName) != key_name) {
    throw Error(Kind::Permanent, what + ": sealed with key " + hex(std::string(sealed.substr(1, kName))) +
                                     ", and key_file holds key " + hex(key_name));
  }
  std::string plain(sealed.size() - kHead - kTag, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes(plain), nullptr, nullptr, bytes(sealed) + kHead,
                                                 sealed.size() - kHead, bytes(about), about.size(),
                                                 bytes(sealed) + 1 + kName, key_.data()) != 0) {
    throw Error(Kind::Permanent, what + ": damaged, or moved here from elsewhere");
  }
  return plain;
}

std::string Seal::seal_text(std::string_view plain, std::string_view about) const {
  const std::string raw = seal(plain, about);
  std::string text(sodium_base64_encoded_len(raw.size(), kText), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes(std::string_view{raw}), raw.size(), kText);
  text.pop_back();
  return text;
}

std::string Seal::open_text(std::string_view text, std::string_view about) const {
  std::string raw(text.size(), '\0');
  std::size_t length = 0;
  const char* end = nullptr;
  // Padding and the line breaks of an editor do no harm.
  if (sodium_base642bin(bytes(raw), raw.size(), text.data(), text.size(), " \r\n\t=", &length, &end, kText) != 0 ||
      end != text.data() + text.size()) {
    throw Error(Kind::Permanent, "sealed text of " + std::string(about) + ": not base64, damaged");
  }
  raw.resize(length);
  return open(raw, about);
}

std::string Seal::fingerprint() const {
  need_key();
  return hex(hash("jarvis key", kName, key_.data(), key_.size()));
}

std::string Seal::code(std::string_view text, int length) const {
  need_key();
  // Bytes beyond the last whole multiple of the alphabet are passed over, or its first letters would be likelier.
  constexpr std::size_t kFair = 256 / kLetters.size() * kLetters.size();
  std::string word;
  for (unsigned round = 0; static_cast<int>(word.size()) < length; ++round) {
    const std::string about = "jarvis code " + std::to_string(round) + " " + std::string(text);
    for (const char byte : hash(about, crypto_generichash_BYTES_MAX, key_.data(), key_.size())) {
      const auto value = static_cast<unsigned char>(byte);
      if (value < kFair && static_cast<int>(word.size()) < length) word += kLetters[value % kLetters.size()];
    }
  }
  return word;
}

std::string digest(std::string_view text) {
  return hex(hash(text, crypto_generichash_BYTES, nullptr, 0));
}

std::string random_word(int length) {
  need_sodium();
  std::string word;
  for (int i = 0; i < length; ++i) word += kLetters[randombytes_uniform(static_cast<std::uint32_t>(kLetters.size()))];
  return word;
}

}  // namespace jarvis::pipeline
