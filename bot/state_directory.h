// The state directory: one jarvis at a time holds it. The lock is a flock on STATE/lock whose descriptor the
// forkservers inherit, so it is not free before the last of them has ended its children. It is for root and its owner
// alone; when the configuration has people on the command line, others reach the socket in it and nothing else. Blocks
// for the disk only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/unique_fd.h"

namespace jarvis::bot {

class StateDirectory {
 public:
  // Makes the directory (mode 0700) if it is missing.
  explicit StateDirectory(std::filesystem::path path);

  // May we use it: are we root or its owner? Others may ask at the socket, if they are let in.
  bool ours() const;
  // Why not.
  std::string not_ours() const;

  // True: it is ours until this object and every forkserver that got lock() is gone. Error(Refused) if not ours().
  bool try_lock();
  // Whether others may reach the socket. Whatever else stands in the directory is closed to them first; Error when that
  // cannot be done. Only with the lock.
  void open_to_others(bool open);
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
