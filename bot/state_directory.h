// The state directory: one jarvis at a time holds it. The lock is a flock on STATE/lock whose descriptor the
// forkservers inherit, so it is not free before the last of them has ended its children. Blocks for the disk only.
#pragma once

#include <filesystem>
#include <optional>

#include "pipeline/unique_fd.h"

namespace jarvis::bot {

class StateDirectory {
 public:
  // Makes the directory (mode 0700) if it is missing. Error(Refused) if it belongs to somebody else and we are not
  // root.
  explicit StateDirectory(std::filesystem::path path);

  // True: it is ours until this object and every forkserver that got lock() is gone.
  bool try_lock();
  int lock() const { return lock_.get(); }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path socket() const { return path_ / "socket"; }
  std::filesystem::path journal() const { return path_ / "journal.db"; }
  std::filesystem::path work() const { return path_ / "work"; }
  unsigned owner() const { return owner_; }

 private:
  std::filesystem::path path_;
  pipeline::UniqueFd lock_;
  unsigned owner_ = 0;
};

}  // namespace jarvis::bot
