#include "providers/local_hosts.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "pipeline/error.h"
#include "providers/local_address.h"
#include "providers/local_namespaces.h"
#include "providers/local_state.h"

namespace jarvis::providers {

namespace {

namespace fs = std::filesystem;
using pipeline::Error;
using pipeline::Kind;
using pipeline::system_error;

constexpr std::size_t kSuffix = 8;

// ".STEM.new-" or ".STEM.gone-" and eight hexadecimal digits, no more: another host's name may begin like this one's.
bool is_leftover(const std::string& name, const std::string& stem) {
  for (const char* kind : {".new-", ".gone-"}) {
    const std::string begin = stem + kind;
    if (name.size() == begin.size() + kSuffix && name.starts_with(begin) &&
        name.find_first_not_of(kHex, begin.size()) == std::string::npos) {
      return true;
    }
  }
  return false;
}

// Root's hosts live on ids of their own.
void give_to_host(const std::string& disk) {
  if (::geteuid() != 0) return;
  if (::lchown(disk.c_str(), kRootBase, kRootBase) != 0) throw system_error("giving " + disk + " to the host");
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(disk)) {
    if (::lchown(entry.path().c_str(), kRootBase, kRootBase) != 0)
      throw system_error("giving " + entry.path().string() + " to the host");
  }
}

}  // namespace

Hosts::Hosts(std::string directory, Launcher launcher, bool make)
    : directory_(std::move(directory)), launcher_(std::move(launcher)) {
  if (directory_.empty() || directory_.front() != '/') {
    throw Error(Kind::Usage, "dir: '" + directory_ + "' is no absolute path");
  }
  while (directory_.size() > 1 && directory_.back() == '/') directory_.pop_back();
  if (make) {
    std::error_code fault;
    fs::create_directories(fs::path(directory_).parent_path(), fault);
    if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) throw system_error("making " + directory_);
  }
  root_.reset(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root_ && errno != ENOENT) throw system_error("opening " + directory_);
}

Hosts::Lock::Lock(int directory, std::string name) : directory_(directory), name_(std::move(name)) {
  for (;;) {
    file_.reset(::openat(directory_, name_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file_) throw system_error("opening the lock " + name_);
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) throw system_error("locking " + name_);
      throw Error(Kind::Transient, "another attempt is at work on this host")
          .retry_after(std::chrono::milliseconds(500));
    }
    struct stat state {};
    if (::fstat(file_.get(), &state) == 0 && state.st_nlink > 0) return;  // else its last holder has removed it
  }
}

Hosts::Lock::~Lock() {
  ::unlinkat(directory_, name_.c_str(), 0);
}

std::string Hosts::stem(const std::string& fqdn) const {
  if (fqdn.size() <= 200) return "." + fqdn;
  return "." + fqdn.substr(0, 180) + "-" + std::to_string(stable_hash(fqdn));
}

std::unique_ptr<Hosts::Lock> Hosts::lock(const std::string& fqdn) const {
  if (!root_) return nullptr;
  return std::make_unique<Lock>(root_.get(), stem(fqdn) + ".lock");
}

Descriptor Hosts::open_host(const std::string& fqdn) const {
  return root_ ? open_directory(root_.get(), fqdn) : Descriptor();
}

std::optional<LocalMachine> Hosts::find(const std::string& fqdn) const {
  const std::string foreign =
      path(fqdn) + " exists and is not a host of ours: move it away, or give the host another name";
  struct stat state {};
  if (!root_ || ::fstatat(root_.get(), fqdn.c_str(), &state, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  if (!S_ISDIR(state.st_mode)) throw Error(Kind::Refused, foreign);
  std::optional<LocalMachine> machine;
  try {
    machine = read_machine(open_host(fqdn).get());
  } catch (const Error& e) {
    throw Error(Kind::Refused, foreign + " (" + e.what() + ")");
  }
  if (!machine) throw Error(Kind::Refused, foreign);
  if (machine->fqdn != fqdn) throw Error(Kind::Refused, foreign + " (it calls itself " + machine->fqdn + ")");
  return machine;
}

bool Hosts::runs(const std::string& fqdn) const {
  const Descriptor host = open_host(fqdn);
  return host && supervisor_of(host.get()).has_value();
}

std::vector<LocalMachine> Hosts::all() const {
  std::vector<LocalMachine> found;
  if (!root_) return found;
  std::error_code fault;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, fault)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) continue;
    try {
      const Descriptor host = open_directory(root_.get(), name);
      const std::optional<LocalMachine> machine = host ? read_machine(host.get()) : std::nullopt;
      if (machine) found.push_back(*machine);
    } catch (const Error&) {
      continue;  // not ours: the kernel will say whether its address is free
    }
  }
  std::sort(found.begin(), found.end(), [](const LocalMachine& a, const LocalMachine& b) { return a.fqdn < b.fqdn; });
  return found;
}

std::set<std::string> Hosts::addresses() const {
  std::set<std::string> found;
  for (const LocalMachine& machine : all()) found.insert(machine.address);
  return found;
}

void Hosts::discard(const std::string& name) const {
  launcher_.remove(directory_ + "/" + name);
}

void Hosts::sweep(const std::string& fqdn) const {
  if (!root_) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_)) {
    const std::string name = entry.path().filename().string();
    if (is_leftover(name, stem(fqdn))) discard(name);
  }
}

LocalMachine Hosts::create(LocalMachine machine, NewDisk disk) const {
  const std::string name = stem(machine.fqdn) + ".new-" + random_text(kSuffix, kHex);
  try {
    make_directory(root_.get(), name, 0700);
    const Descriptor host = open_directory(root_.get(), name);
    make_directory(host.get(), "disk", 0755);
    disk.path = directory_ + "/" + name + "/disk";
    machine.host_key = find_flavour(machine.flavour).fill_disk(disk);
    give_to_host(disk.path);
    const Descriptor file(::openat(host.get(), kSupervisorFile, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) throw system_error("making the file `supervisor`");
    write_machine(host.get(), machine);
    if (::renameat2(root_.get(), name.c_str(), root_.get(), machine.fqdn.c_str(), RENAME_NOREPLACE) != 0) {
      throw system_error("renaming " + name + " to " + machine.fqdn);
    }
    if (::fsync(root_.get()) != 0) throw system_error("writing " + directory_ + " to the disk");
  } catch (...) {
    if (const Descriptor made = open_directory(root_.get(), name); made) discard(name);
    throw;
  }
  return machine;
}

void Hosts::write(const LocalMachine& machine) const {
  const Descriptor host = open_host(machine.fqdn);
  if (!host) throw Error(Kind::Permanent, path(machine.fqdn) + " is gone");
  write_machine(host.get(), machine);
}

void Hosts::remove(const LocalMachine& machine) const {
  LocalMachine off = machine;
  off.wanted = false;  // a launcher of a dead attempt that comes late reads this, and ends
  write(off);
  const Descriptor host = open_host(machine.fqdn);
  Descriptor lock;
  for (int round = 0; round < 10 && !lock; ++round) {
    launcher_.stop(path(machine.fqdn));
    lock = lock_supervisor(host.get());
  }
  if (!lock) throw Error(Kind::Transient, "somebody keeps starting " + machine.fqdn);
  const std::string name = stem(machine.fqdn) + ".gone-" + random_text(kSuffix, kHex);
  if (::renameat(root_.get(), machine.fqdn.c_str(), root_.get(), name.c_str()) != 0)
    throw system_error("renaming " + machine.fqdn);
  discard(name);
  if (::fsync(root_.get()) != 0) throw system_error("writing " + directory_ + " to the disk");
}

int Hosts::authorize(const LocalMachine& machine, const std::vector<std::string>& keys) const {
  const Descriptor host = open_host(machine.fqdn);
  const Descriptor disk = host ? open_directory(host.get(), "disk") : Descriptor();
  if (!disk) throw Error(Kind::Permanent, path(machine.fqdn) + " has no disk");
  // The host's root owns these directories: no link of theirs may lead us out of the disk.
  open_how how{};
  how.flags = O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC;
  how.mode = 0600;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const Descriptor file(
      static_cast<int>(::syscall(SYS_openat2, disk.get(), "root/.ssh/authorized_keys", &how, sizeof how)));
  struct stat state {};
  if (!file || ::fstat(file.get(), &state) != 0) throw system_error("opening root's authorized keys");
  if (!S_ISREG(state.st_mode) || state.st_size > 1'000'000)
    throw Error(Kind::Permanent, "root's authorized keys are no ordinary file");
  if (state.st_size == 0 && ::geteuid() == 0 && ::fchown(file.get(), kRootBase, kRootBase) != 0)
    throw system_error("giving root its keys");
  std::string text(static_cast<std::size_t>(state.st_size), '\0');
  const ssize_t n = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  int added = 0;
  for (const std::string& key : keys) {
    if (text.find(bare_key(key)) != std::string::npos) continue;
    std::string line = key + "\n";
    if (!text.empty() && text.back() != '\n') line.insert(0, 1, '\n');
    write_all(file.get(), line);
    text += line;
    ++added;
  }
  return added;
}

}  // namespace jarvis::providers
