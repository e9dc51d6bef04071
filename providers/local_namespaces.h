// New namespaces and their id maps, for root and for an ordinary user. Knows no host. When this machine forbids it, the
// error is one sentence that names the setting.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace jarvis::providers {

// As root, a host's ids 0..65535 are these of the machine; as a user, its 0 is the user and the rest comes from
// /etc/subuid.
inline constexpr unsigned kRootBase = 100000;
inline constexpr unsigned kRootCount = 65536;

struct SubIds {
  std::uint32_t first = 0, count = 0;
};
// The first range of this user in the text of /etc/subuid or /etc/subgid, by name or by number.
std::optional<SubIds> find_sub_ids(std::string_view text, std::string_view user, uid_t uid);

enum class Wanted { UserOnly, Host };  // Host: user, mount, pid, uts and ipc namespaces

// Forks a child into new namespaces, as their root (ids 0, all capabilities, no groups), and runs `life` in it; it dies
// with the caller and never returns here. A fault on its way, or an exception of `life`, is a line "jarvis-local: ..."
// on descriptor `voice` and exit status 70. Error(Permanent) when this machine refuses. The caller has one thread and
// waits for the child.
pid_t clone_into(Wanted wanted, int voice, const std::function<void()>& life);

// The sentence for a mount that was refused in a new namespace.
std::string mount_refused(const std::string& what, int error_number);

}  // namespace jarvis::providers
