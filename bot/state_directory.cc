#include "bot/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "bot/session.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using pipeline::Error;
using pipeline::Kind;

StateDirectory::StateDirectory(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  if (!std::filesystem::exists(path_, error)) {
    std::filesystem::create_directories(path_.parent_path(), error);
    if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST)
      throw Error(Kind::Usage, pipeline::system_error("cannot make the state directory " + path_.string()).what());
  }
  struct stat about {};
  if (::stat(path_.c_str(), &about) != 0) throw pipeline::system_error("the state directory " + path_.string());
  if (!S_ISDIR(about.st_mode)) throw Error(Kind::Usage, path_.string() + " is no directory");
  owner_ = about.st_uid;
}

bool StateDirectory::ours() const {
  return ::geteuid() == 0 || owner_ == ::geteuid();
}

std::string StateDirectory::not_ours() const {
  return "the state directory " + path_.string() + " belongs to " + name_of_uid(owner_) +
         "; only root and its owner may use it (--state DIR names another)";
}

void StateDirectory::open_to_others(bool open) {
  constexpr mode_t kOthers = 077, kSearch = 011, kOpened = 0711;
  struct stat about {};
  if (::stat(path_.c_str(), &about) != 0) throw pipeline::system_error("the state directory " + path_.string());
  const mode_t mode = about.st_mode & 07777U;
  const auto set = [](const std::filesystem::path& what, mode_t wanted) {
    if (::chmod(what.c_str(), wanted) != 0) throw pipeline::system_error("changing the mode of " + what.string());
  };
  if (!open) {
    if (mode == kOpened) set(path_, 0700);  // only what was opened here: an operator's own mode is his
    set(socket(), 0600);
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    const std::filesystem::path& one = entry.path();
    if (one == socket() || ::lstat(one.c_str(), &about) != 0 || S_ISLNK(about.st_mode)) continue;
    if ((about.st_mode & kOthers) != 0) set(one, about.st_mode & 07777U & ~kOthers);
  }
  set(socket(), 0666);
  if ((mode & kSearch) != kSearch) set(path_, mode | kSearch);
}

bool StateDirectory::try_lock() {
  if (!ours()) throw Error(Kind::Refused, not_ours());
  const std::string file = path_ / "lock";
  pipeline::UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) throw pipeline::system_error(file);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    throw pipeline::system_error("locking " + file);
  }
  lock_ = std::move(fd);
  return true;
}

}  // namespace jarvis::bot
