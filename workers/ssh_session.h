// One SSH connection to one host. An interface, so that a fake can stand in; the real one is libssh2 (ssh_session.cc,
// the only room of it). A session exists only after the host has shown a key that was expected: nothing trusts on first
// use. Knows no clipboard and no task. Numeric addresses only: the executable is static and has no resolver.
//
// Every call blocks within the limits of its target. What may pass by itself (refused, unreachable, reset, silent, cut
// off in the middle) is Error(Transient); a wrong host key or no common algorithm is Error(Permanent).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "workers/openssh_key.h"

namespace jarvis::workers {

struct SshTarget {
  std::vector<std::string> addresses;  // IPv4 or IPv6, tried in order
  int port = 22;
  std::vector<PublicKey> host_keys;  // the host must show one of them
  std::chrono::milliseconds connect_limit{5'000};
  std::chrono::milliseconds handshake_limit{10'000};
  std::chrono::milliseconds login_limit{10'000};
  std::chrono::milliseconds command_limit{60'000};  // of one command, from start to its exit status
};

struct RemoteResult {
  int exit_status = 0;
  std::string signal;  // "TERM" when a signal ended it; exit_status is no success then
  std::string output;  // stdout, at most 1 MiB
};

class SshSession {
 public:
  virtual ~SshSession() = default;

  virtual const std::string& place() const = 0;  // "127.0.64.5:2222", "[2001:db8::1]:22"
  virtual const PublicKey& host_key() const = 0;

  // False when the host takes this key not for this user. Error(Usage) for a key that cannot be read.
  virtual bool log_in(const std::string& user, const std::string& private_text, const PublicKey& key) = 0;

  // One command line for the remote shell (remote.h quotes one from arguments), at most 30,000 bytes. `input` goes to
  // its stdin, which then ends. Each line of its stderr, cut at 4 KiB, goes to `error_line` as it arrives, at most 1
  // MiB of them. Error(Permanent) when it prints more than 1 MiB.
  virtual RemoteResult run(const std::string& command, const std::string& input,
                           const std::function<void(std::string_view)>& error_line) = 0;
};

// Connects, shakes hands, compares the host key. The first address that answers counts; if the very first is the wrong
// host that is final, a later one may be somebody else as long as those before it do not answer.
std::unique_ptr<SshSession> open_ssh_session(const SshTarget& target);

}  // namespace jarvis::workers
