// What is written to standard output while this lives: the code under test prints, the test reads.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace jarvis::bot {

class Captured {
 public:
  explicit Captured(int number = 1) : number_(number), file_(std::tmpfile()) {
    REQUIRE(file_ != nullptr);
    std::fflush(nullptr);
    before_ = ::fcntl(number_, F_DUPFD_CLOEXEC, 10);
    ::dup2(::fileno(file_), number_);
  }
  ~Captured() {
    give_back();
    std::fclose(file_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  // Ends the capture.
  std::string text() {
    give_back();
    std::string made;
    std::rewind(file_);
    for (int c = 0; (c = std::fgetc(file_)) != EOF;) made += static_cast<char>(c);
    return made;
  }

 private:
  void give_back() {
    if (before_ < 0) return;
    std::fflush(nullptr);
    ::dup2(before_, number_);
    ::close(before_);
    before_ = -1;
  }

  int number_;
  std::FILE* file_;
  int before_ = -1;
};

}  // namespace jarvis::bot
