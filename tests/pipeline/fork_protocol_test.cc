#include "pipeline/fork_protocol.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <random>

#include "pipeline/error.h"

namespace jarvis::pipeline {
namespace {

using What = ForkMessage::What;

struct Case {
  std::string name;
  ForkMessage message;
};

ForkMessage message_of(What what, std::uint64_t id) {
  ForkMessage made;
  made.what = what;
  made.id = id;
  return made;
}

std::vector<Case> messages() {
  ForkMessage whole = message_of(What::Fork, UINT64_MAX);
  whole.task = "ssh:wait";
  whole.executable = "/usr/bin/true";
  whole.directory = "/tmp";
  whole.environment = {"A=1", "EMPTY=", std::string("NUL=a\0b", 7), "LONG=" + std::string(100'000, 'x')};
  ForkMessage started = message_of(What::Started, 3);
  started.pid = 4'194'304;
  ForkMessage exited = message_of(What::Exited, 4);
  exited.status = 9;
  exited.group_left = true;
  exited.user_us = INT64_MAX;
  exited.system_us = 1;
  exited.max_rss_kib = 123'456;
  ForkMessage signal = message_of(What::Signal, 5);
  signal.number = 15;
  ForkMessage not_forked = message_of(What::NotForked, 6);
  not_forked.number = 11;
  return {{"a fork", whole},
          {"an empty fork", message_of(What::Fork, 0)},
          {"started", started},
          {"exited", exited},
          {"signal", signal},
          {"not forked", not_forked},
          {"release", message_of(What::Release, 7)}};
}

struct Pair {
  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    one.reset(ends[0]);
    other.reset(ends[1]);
  }
  UniqueFd one, other;
};

TEST_CASE("fork protocol: every message comes back as it was") {
  for (const Case& c : messages()) {
    CAPTURE(c.name);
    const auto back = decode(encode(c.message));
    REQUIRE(back);
    CHECK(back->what == c.message.what);
    CHECK(back->id == c.message.id);
    CHECK(back->task == c.message.task);
    CHECK(back->executable == c.message.executable);
    CHECK(back->directory == c.message.directory);
    CHECK(back->environment == c.message.environment);
    CHECK(back->number == c.message.number);
    CHECK(back->pid == c.message.pid);
    CHECK(back->status == c.message.status);
    CHECK(back->group_left == c.message.group_left);
    CHECK(back->user_us == c.message.user_us);
    CHECK(back->system_us == c.message.system_us);
    CHECK(back->max_rss_kib == c.message.max_rss_kib);
  }
}

TEST_CASE("fork protocol: a message cut anywhere is no message") {
  for (const Case& c : messages()) {
    CAPTURE(c.name);
    const std::string whole = encode(c.message);
    for (std::size_t size = 0; size < std::min<std::size_t>(whole.size(), 300); ++size) {
      CAPTURE(size);
      CHECK_FALSE(decode(std::string_view(whole).substr(0, size)));
    }
    CHECK_FALSE(decode(std::string_view(whole).substr(0, whole.size() - 1)));
  }
}

TEST_CASE("fork protocol: garbage neither crashes nor takes memory") {
  std::mt19937 random(912450);
  std::string bytes;
  for (int round = 0; round < 20'000; ++round) {
    bytes.resize(random() % 80);
    for (char& c : bytes) c = static_cast<char>(random());
    if (!bytes.empty() && round % 2 == 0) bytes[0] = static_cast<char>(random() % 8);
    (void)decode(bytes);
  }
  // Counts and lengths that promise more than there is.
  ForkMessage fork = message_of(What::Fork, 1);
  std::string text = encode(fork);
  text.replace(text.size() - 4, 4, "\xff\xff\xff\xff");
  CHECK_FALSE(decode(text));
  CHECK_FALSE(decode(std::string(1, '\0')));
  CHECK_FALSE(decode(""));
}

TEST_CASE("fork protocol: descriptors travel with their packet and are closed at exec") {
  Pair pair;
  int pipe_ends[2];
  REQUIRE(::pipe2(pipe_ends, O_CLOEXEC) == 0);
  const UniqueFd read_end(pipe_ends[0]), write_end(pipe_ends[1]);
  const ThreeFds three = {read_end.get(), write_end.get(), write_end.get()};
  CHECK(send_packet(pair.one.get(), "with", &three));
  CHECK(send_packet(pair.one.get(), "without"));
  auto first = receive_packet(pair.other.get());
  auto second = receive_packet(pair.other.get());
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->bytes == "with");
  REQUIRE(first->descriptors.size() == 3);
  for (const UniqueFd& fd : first->descriptors) CHECK((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(::write(first->descriptors[1].get(), "x", 1) == 1);
  char byte = 0;
  CHECK(::read(read_end.get(), &byte, 1) == 1);
  CHECK(second->bytes == "without");
  CHECK(second->descriptors.empty());
}

TEST_CASE("fork protocol: a socket never blocks and says when the other end is gone") {
  Pair pair;
  CHECK_FALSE(receive_packet(pair.other.get()));
  const std::string packet(4096, 'x');
  int sent = 0;
  while (send_packet(pair.one.get(), packet)) REQUIRE(++sent < 100'000);
  CHECK(sent > 0);
  for (int i = 0; i < sent; ++i) CHECK(receive_packet(pair.other.get())->bytes.size() == packet.size());
  CHECK_FALSE(receive_packet(pair.other.get()));
  CHECK_MESSAGE(send_packet(pair.one.get(), std::string(kForkMessageLimit, 'x')), "the largest packet fits");
  CHECK(receive_packet(pair.other.get())->bytes.size() == kForkMessageLimit);
  pair.one.reset();
  const auto end = receive_packet(pair.other.get());
  REQUIRE(end);
  CHECK(end->bytes.empty());
  CHECK_THROWS_AS(send_packet(pair.other.get(), "x"), Error);
}

}  // namespace
}  // namespace jarvis::pipeline
