// What the loop and a forkserver say to each other: one message per packet of a SOCK_SEQPACKET socket, both ends of the
// same build on the same machine, so plain bytes in native order. Descriptors travel as SCM_RIGHTS.
//
//   loop -> forkserver   Fork (with 3 descriptors: stdin, stdout, stderr), Signal, Release
//   forkserver -> loop   Started, Exited, NotForked
//
// A socket may refuse a message for now (EAGAIN): both ends keep a backlog and never block, else 1,000 requests in
// flight deadlock. Knows no asio and no task.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/unique_fd.h"

namespace jarvis::pipeline {

inline constexpr std::size_t kForkMessageLimit = 128U << 10U;  // the largest packet; more environment is refused

struct ForkMessage {
  enum class What : std::uint8_t { Fork = 1, Signal, Release, Started, Exited, NotForked };
  What what = What::Fork;
  std::uint64_t id = 0;
  // Fork
  std::string task, executable, directory;
  std::vector<std::string> environment;  // NAME=VALUE
  // Signal: number; NotForked: errno
  int number = 0;
  // Started
  pid_t pid = 0;
  // Exited
  int status = 0;           // as wait(2) gives it
  bool group_left = false;  // somebody of its process group lives on; keep the group's number until Release
  std::int64_t user_us = 0, system_us = 0, max_rss_kib = 0;
};

std::string encode(const ForkMessage& message);
// Nothing if the bytes are no message.
std::optional<ForkMessage> decode(std::string_view bytes);

using ThreeFds = std::array<int, 3>;

// Sends one packet without blocking or raising SIGPIPE. True: sent; false: not now. Error(Permanent) if the other end
// is gone.
bool send_packet(int socket, std::string_view bytes, const ThreeFds* descriptors = nullptr);

struct Packet {
  std::string bytes;
  std::vector<UniqueFd> descriptors;  // close-on-exec
};
// Receives one packet without blocking: nothing if there is none now; empty bytes at the end of the connection.
std::optional<Packet> receive_packet(int socket);

}  // namespace jarvis::pipeline
