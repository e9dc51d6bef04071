// One local host as its directory knows it: the small file `machine` that makes a directory a host of ours. Written by
// the tasks only (under the host's lock), read by the supervisor. Knows no process and no mount.
//
// Format: `key: value` lines. A version that is newer than ours is refused, a key that is not known is ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jarvis::providers {

struct LocalMachine {
  std::string id;  // local-xxxxxxxx: instance_id
  std::string fqdn, hostname;
  std::string run, step;  // of the attempt that made it
  std::string address;
  std::uint16_t port = 0;
  std::string flavour;
  std::string created;   // RFC 3339
  std::string host_key;  // public line
  bool wanted = true;    // switched on, as far as the tasks are concerned
  bool booted = false;   // was ready once; before that nobody has its address, and it may be made anew

  bool marked() const { return !run.empty(); }  // by a run of jarvis's; one without is somebody else's
  std::string text() const;
  static LocalMachine parse(std::string_view text);  // Error(Permanent) naming line and fault
};

// The host in the open directory: nothing if the file is not there.
std::optional<LocalMachine> read_machine(int directory);
void write_machine(int directory, const LocalMachine& machine);  // atomic and durable

// `name` in lower case, or Error(Usage): RFC 1123 labels, so that it can be a directory's name and nothing else.
std::string checked_name(std::string_view key, std::string_view name);
// `line` without its newline, or Error(Usage): one public key (type, base64, comment), no options, no control
// characters.
std::string checked_public_key(std::string_view key, std::string_view line);
// Type and base64 of a public key line, without the comment.
std::string bare_key(std::string_view line);
std::uint16_t checked_port(std::string_view text);

}  // namespace jarvis::providers
