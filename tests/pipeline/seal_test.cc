#include "pipeline/seal.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include "pipeline/error.h"
#include "tests/pipeline/scratch.h"

namespace jarvis::pipeline {
namespace {

namespace fs = std::filesystem;

fs::path key_file(const Scratch& scratch, const std::string& text, mode_t mode = 0600) {
  fs::path file = scratch / "key";
  std::ofstream(file) << text;
  chmod(file.c_str(), mode);
  return file;
}

std::string refusal(const fs::path& file) {
  try {
    Seal::from_file(file);
  } catch (const Error& error) {
    CHECK(error.kind() == Kind::Usage);
    CHECK(std::string(error.what()).find(file.string()) != std::string::npos);
    return error.what();
  }
  return "";
}

std::string failure(const Seal& seal, const std::string& sealed, const std::string& about) {
  try {
    seal.open(sealed, about);
  } catch (const Error& error) {
    CHECK(error.kind() == Kind::Permanent);
    return error.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string kZeros(64, '0');

}  // namespace

TEST_CASE("what is sealed opens with the same key and the same words only") {
  const Scratch scratch;
  const Seal seal = Seal::from_file(key_file(scratch, kZeros + "\n"));
  for (const std::string& plain :
       {std::string(), std::string("password: hunter2\n"), std::string(200'000, 'x'), std::string(9, '\0')}) {
    const std::string sealed = seal.seal(plain, "run abc step 3");
    CHECK(seal.open(sealed, "run abc step 3") == plain);
    CHECK(sealed.size() == plain.size() + 49);
    CHECK((plain.size() < 10 || !has(sealed, plain.substr(0, 10))));
    CHECK(has(failure(seal, sealed, "run abc step 4"), "moved here from elsewhere"));
    CHECK(sealed != seal.seal(plain, "run abc step 3"));
  }
}

TEST_CASE("another key is told from damage") {
  const Scratch scratch;
  const Seal seal = Seal::from_file(key_file(scratch, kZeros));
  const Seal other = Seal::create(scratch / "other");
  const std::string sealed = seal.seal("text", "about");
  const std::string why = failure(other, sealed, "about");
  CHECK(has(why, "sealed with key " + seal.fingerprint()));
  CHECK(has(why, "holds key " + other.fingerprint()));

  // No bit of it may be changed, and no byte be missing.
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    CAPTURE(i);
    std::string damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    CHECK_FALSE(failure(seal, damaged, "about").empty());
    CHECK_FALSE(failure(seal, sealed.substr(0, i), "about").empty());
  }
  CHECK_FALSE(failure(seal, sealed + "x", "about").empty());
  CHECK(seal.open(sealed, "about") == "text");
}

TEST_CASE("sealed text is one word that YAML carries") {
  const Scratch scratch;
  const Seal seal = Seal::create(scratch / "key");
  for (int size = 0; size < 5; ++size) {
    const std::string plain(static_cast<std::size_t>(size), 'p');
    const std::string word = seal.seal_text(plain, "shown");
    CHECK(word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") ==
          std::string::npos);
    CHECK(seal.open_text(word, "shown") == plain);
    CHECK(seal.open_text(word.substr(0, 20) + "\n  " + word.substr(20) + "==\n", "shown") == plain);
    CHECK_THROWS_AS(seal.open_text(word + "!", "shown"), Error);
    CHECK_THROWS_AS(seal.open_text(word, "other"), Error);
  }
  CHECK_THROWS_AS(seal.open_text("", "shown"), Error);
}

TEST_CASE("key files that are refused") {
  const Scratch scratch;
  struct Case {
    const char* name;
    std::string text;
    mode_t mode;
    const char* why;
  };
  for (const auto& c : {Case{"group may read", kZeros, 0640, "others than its owner"},
                        Case{"everybody may read", kZeros, 0604, "chmod 600"}, Case{"empty", "", 0600, "64 hex digits"},
                        Case{"too short", kZeros.substr(1), 0600, "64 hex digits"},
                        Case{"too long", kZeros + "0", 0600, "64 hex digits"},
                        Case{"two lines", kZeros + "\n\n", 0600, "64 hex digits"},
                        Case{"not hex", kZeros.substr(1) + "x", 0600, "64 hex digits"}}) {
    CAPTURE(c.name);
    CHECK(has(refusal(key_file(scratch, c.text, c.mode)), c.why));
  }
  CHECK(has(refusal(scratch / "missing"), "No such file"));
  CHECK(has(refusal(scratch.path()), "regular file"));
}

TEST_CASE("a new key: for its owner only, never over another one") {
  const Scratch scratch;
  const mode_t before = umask(0);
  const Seal first = Seal::create(scratch / "key");
  umask(before);
  struct stat status {};
  REQUIRE(stat((scratch / "key").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600U);
  CHECK(Seal::create(scratch / "key").fingerprint() == first.fingerprint());
  CHECK(Seal::from_file(scratch / "key").fingerprint() == first.fingerprint());
  CHECK(Seal::create(scratch / "other").fingerprint() != first.fingerprint());
  CHECK_THROWS_AS(Seal::create(scratch / "no/such/key"), Error);

  std::vector<std::string> made(8);
  std::vector<std::thread> makers;
  makers.reserve(made.size());
  for (std::string& name : made) makers.emplace_back([&] { name = Seal::create(scratch / "raced").fingerprint(); });
  for (std::thread& maker : makers) maker.join();
  CHECK(std::set(made.begin(), made.end()).size() == 1);
  CHECK(std::distance(fs::directory_iterator(scratch.path()), {}) == 3);  // nothing is left aside
}

TEST_CASE("fingerprints and codes: the same for a key, and pinned") {
  const Scratch scratch;
  const Seal seal = Seal::from_file(key_file(scratch, kZeros));
  const Seal other = Seal::create(scratch / "other");
  CHECK(seal.fingerprint() == "bcc5bbd050ae828d");
  CHECK(seal.code("destroy loki", 6) == "5eufga");
  CHECK(seal.code("destroy loki", 100).size() == 100);
  CHECK(seal.code("destroy loki", 100).substr(0, 6) == seal.code("destroy loki", 6));
  CHECK(seal.code("destroy thor", 6) != seal.code("destroy loki", 6));
  CHECK(other.code("destroy loki", 6) != seal.code("destroy loki", 6));
  CHECK(digest("") == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");  // BLAKE2b-256
}

TEST_CASE("random words") {
  std::set<std::string> words;
  for (int i = 0; i < 200; ++i) words.insert(random_word(8));
  CHECK(words.size() == 200);
  for (const std::string& word : words) {
    CHECK(word.size() == 8);
    CHECK(word.find_first_not_of("abcdefghjkmnpqrstuvwxyz23456789") == std::string::npos);
  }
  CHECK(random_word(0).empty());
}

}  // namespace jarvis::pipeline
