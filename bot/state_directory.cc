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
  if (::geteuid() != 0 && owner_ != ::geteuid()) {
    throw Error(Kind::Refused, "the state directory " + path_.string() + " belongs to " + name_of_uid(owner_) +
                                   "; only root and its owner may use it (--state DIR names another)");
  }
}

bool StateDirectory::try_lock() {
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
