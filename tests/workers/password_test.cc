#include "workers/password.h"

#include <doctest/doctest.h>

#include <set>

using namespace jarvis::workers;

TEST_CASE("passwords are 24 letters and digits, never the same") {
  std::set<std::string> seen;
  std::set<char> letters;
  for (int i = 0; i < 200; ++i) {
    const std::string password = random_password();
    CHECK(password.size() == 24);
    CHECK(password.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") ==
          std::string::npos);
    seen.insert(password);
    letters.insert(password.begin(), password.end());
  }
  CHECK(seen.size() == 200);
  CHECK(letters.size() == 62);
}

TEST_CASE("a hash fits its password and no other") {
  const std::string hash = crypt_hash("correct horse");
  CHECK(hash.starts_with("$6$"));
  CHECK(hash != crypt_hash("correct horse"));
  CHECK(hash_fits("correct horse", hash));
  CHECK_FALSE(hash_fits("correct horsf", hash));
  // Made by another program: openssl passwd -6 -salt saltstring.
  CHECK(hash_fits(
      "Hello world!",
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"));
  for (const char* locked : {"", "*", "!", "!!", "*0", "x", "$", "$nonsense$x$y"}) {
    CAPTURE(locked);
    CHECK_FALSE(hash_fits("", locked));
    CHECK_FALSE(hash_fits("*", locked));
  }
}
