#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "pipeline/error.h"
#include "providers/local_files.h"
#include "providers/local_program.h"
#include "providers/local_thin.h"

namespace jarvis::providers {

namespace {

namespace fs = std::filesystem;
using pipeline::Error;
using pipeline::Kind;
using pipeline::system_error;

constexpr const char* kSshd = "/usr/sbin/sshd";
constexpr const char* kKeygen = "/usr/bin/ssh-keygen";

struct Directory {
  const char* path;
  mode_t mode;
};
constexpr Directory kDirectories[] = {
    {"usr", 0755},
    {"proc", 0755},
    {"sys", 0755},
    {"dev", 0755},
    {"run", 0755},
    {"tmp", 01777},
    {"root", 0700},
    {"root/.ssh", 0700},
    {"home", 0755},
    {"srv", 0755},
    {"mnt", 0755},
    {"media", 0755},
    {"opt", 0755},
    {"boot", 0755},
    {"etc", 0755},
    {"etc/ssh", 0755},
    {"etc/puppet", 0755},
    {"etc/alternatives", 0755},
    {"etc/ssl", 0755},
    {"etc/ssl/certs", 0755},
    {"etc/ssl/private", 0700},
    {"var", 0755},
    {"var/log", 0755},
    {"var/tmp", 01777},
    {"var/lib", 0755},
    {"var/cache", 0755},
    {"var/spool", 0755},
    {"var/mail", 0755},
    {"var/backups", 0755},
    {"var/local", 0755},
    {"var/opt", 0755},
    {"var/lib/misc", 0755},
    {"var/lib/puppet", 0755},
    {"var/cache/puppet", 0755},
};

// Taken over from the machine as they are, as far as everybody may read them. Of the certificates just the bundle,
// which every library reads: the hundreds of links beside it would be most of the time that a host takes.
constexpr const char* kCopied[] = {
    "adduser.conf",
    "bash.bashrc",
    "ca-certificates",
    "ca-certificates.conf",
    "debian_version",
    "default",
    "deluser.conf",
    "environment",
    "host.conf",
    "inputrc",
    "issue",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "login.defs",
    "os-release",
    "pam.conf",
    "pam.d",
    "profile",
    "protocols",
    "resolv.conf",
    "rpc",
    "security",
    "services",
    "shells",
    "skel",
    "ssl/openssl.cnf",
    "ssl/certs/ca-certificates.crt",
    "terminfo",
    "timezone",
};

// Debian's own list of users and groups; a password of `*` can be set later, `!` would lock the key login too.
constexpr const char* kPasswd =
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "bin:x:2:2:bin:/bin:/usr/sbin/nologin\n"
    "sys:x:3:3:sys:/dev:/usr/sbin/nologin\n"
    "sync:x:4:65534:sync:/bin:/bin/sync\n"
    "games:x:5:60:games:/usr/games:/usr/sbin/nologin\n"
    "man:x:6:12:man:/var/cache/man:/usr/sbin/nologin\n"
    "lp:x:7:7:lp:/var/spool/lpd:/usr/sbin/nologin\n"
    "mail:x:8:8:mail:/var/mail:/usr/sbin/nologin\n"
    "news:x:9:9:news:/var/spool/news:/usr/sbin/nologin\n"
    "uucp:x:10:10:uucp:/var/spool/uucp:/usr/sbin/nologin\n"
    "proxy:x:13:13:proxy:/bin:/usr/sbin/nologin\n"
    "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
    "backup:x:34:34:backup:/var/backups:/usr/sbin/nologin\n"
    "_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\n"
    "sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
constexpr const char* kGroup =
    "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nlp:x:7:\nmail:x:8:\nnews:x:9:\nuucp:x:"
    "10:\n"
    "man:x:12:\nproxy:x:13:\nkmem:x:15:\ndialout:x:20:\ncdrom:x:24:\nfloppy:x:25:\nsudo:x:27:\naudio:x:29:\ndip:x:30:\n"
    "www-data:x:33:\nbackup:x:34:\noperator:x:37:\nsrc:x:40:\nshadow:x:42:\nutmp:x:43:\nvideo:x:44:\nplugdev:x:46:\n"
    "staff:x:50:\ngames:x:60:\nusers:x:100:\nnogroup:x:65534:\n";

// UsePAM no: PAM's session modules expect more of a machine than a thin host is.
constexpr const char* kSshdConfig =
    "HostKey /etc/ssh/ssh_host_ed25519_key\n"
    "UsePAM no\n"
    "PermitRootLogin prohibit-password\n"
    "PasswordAuthentication no\n"
    "KbdInteractiveAuthentication no\n"
    "UseDNS no\n"
    "PrintMotd no\n"
    "PrintLastLog no\n"
    "PidFile none\n"
    "MaxStartups 100:30:200\n"
    "Subsystem sftp internal-sftp\n";

void write_file(const fs::path& path, const std::string& text, mode_t mode) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (::chmod(path.c_str(), mode) != 0) throw system_error("setting the mode of " + path.string());
  file << text << std::flush;
  if (!file) throw system_error("writing " + path.string());
}

void copy_readable(const fs::path& from, const fs::path& to) {
  struct stat state {};
  if (::lstat(from.c_str(), &state) != 0) return;  // this machine has none
  std::error_code skipped;
  if (S_ISLNK(state.st_mode)) {
    // A link out of /etc and /usr (resolv.conf -> /run/...) leads nowhere in the host: what it stands for is copied.
    const std::string target = fs::read_symlink(from, skipped).lexically_normal().string();
    if (!target.starts_with("/run") && !target.starts_with("../run")) return fs::copy_symlink(from, to, skipped);
    if (::stat(from.c_str(), &state) != 0) return;
  }
  if ((state.st_mode & S_IROTH) == 0) return;
  if (S_ISREG(state.st_mode)) {
    fs::copy_file(from, to, skipped);
    ::chmod(to.c_str(), state.st_mode & 0755);
  } else if (S_ISDIR(state.st_mode)) {
    fs::create_directory(to, skipped);
    ::chmod(to.c_str(), 0755);
    for (const fs::directory_entry& entry : fs::directory_iterator(from, skipped)) {
      copy_readable(entry.path(), to / entry.path().filename());
    }
  }
}

std::string accounts(const char* shell) {
  return std::string("root:x:0:0:root:/root:") + shell + "\n" + kPasswd;
}

// A line of `fields` for each name of a passwd or group text.
std::string shadow_of(const std::string& text, const char* fields) {
  std::string made;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) made += line.substr(0, line.find(':')) + fields + "\n";
  return made;
}

void write_etc(const fs::path& etc, const NewDisk& disk) {
  for (const char* name : kCopied) copy_readable(fs::path("/etc") / name, etc / name);
  const std::string passwd = accounts(::access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh");
  write_file(etc / "passwd", passwd, 0644);
  write_file(etc / "group", kGroup, 0644);
  write_file(etc / "shadow", shadow_of(passwd, ":*:19000:0:99999:7:::"), 0640);
  write_file(etc / "gshadow", shadow_of(kGroup, ":*::"), 0640);
  write_file(etc / "nsswitch.conf",
             "passwd: files\ngroup: files\nshadow: files\ngshadow: files\nhosts: files dns\n"
             "networks: files\nprotocols: files\nservices: files\n",
             0644);
  const std::string names = disk.fqdn == disk.hostname ? disk.fqdn : disk.fqdn + " " + disk.hostname;
  write_file(etc / "hosts", "127.0.0.1 localhost\n127.0.1.1 " + names + "\n::1 localhost ip6-localhost\n", 0644);
  write_file(etc / "hostname", disk.hostname + "\n", 0644);
  write_file(etc / "machine-id", random_text(32, kHex) + "\n", 0444);
  write_file(etc / "fstab", "", 0644);
  write_file(etc / "ssh/sshd_config", kSshdConfig, 0644);
}

// The machine's /bin, /lib64 ... as they are: links into /usr, or (before the merge) mount points.
void link_usr(const fs::path& root) {
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const fs::path there = fs::path("/") / name;
    if (fs::is_symlink(there))
      fs::copy_symlink(there, root / name);
    else if (fs::is_directory(there))
      fs::create_directory(root / name);
  }
}

// Puts the key in place and reads its public half back, which also proves that the key is one.
std::string place_host_key(const fs::path& ssh, const NewDisk& disk) {
  const fs::path key = ssh / "ssh_host_ed25519_key";
  if (disk.host_private_key.empty()) {
    const ProgramEnd made =
        run_small({kKeygen, "-q", "-t", "ed25519", "-N", "", "-C", "root@" + disk.hostname, "-f", key.string()});
    if (made.status != 0) throw Error(Kind::Permanent, "making the host's key: " + made.output);
  } else {
    write_file(key, disk.host_private_key, 0600);
  }
  const ProgramEnd read = run_small({kKeygen, "-y", "-P", "", "-f", key.string()});
  if (read.status != 0 || !read.output.starts_with("ssh-ed25519 ")) {
    throw Error(Kind::Usage, "what the spec has as ssh_host_private_key is no ed25519 key without a passphrase");
  }
  std::string line = bare_key(read.output) + " root@" + disk.hostname;
  write_file(ssh / "ssh_host_ed25519_key.pub", line + "\n", 0644);
  return line;
}

}  // namespace

std::string fill_thin_disk(const NewDisk& disk) {
  for (const char* program : {kSshd, kKeygen}) {
    if (::access(program, X_OK) != 0) {
      throw Error(Kind::Permanent,
                  std::string("this machine has no ") + program + ": install the package openssh-server");
    }
  }
  if (disk.path.empty()) return {};  // only asked whether it could
  const fs::path root(disk.path);
  for (const Directory& one : kDirectories) {
    const fs::path path = root / one.path;
    if (::mkdir(path.c_str(), 0700) != 0 || ::chmod(path.c_str(), one.mode) != 0)
      throw system_error("making " + path.string());
  }
  if (::symlink("/run", (root / "var/run").c_str()) != 0 || ::symlink("/run/lock", (root / "var/lock").c_str()) != 0) {
    throw system_error("making links in " + (root / "var").string());
  }
  for (const char* log : {"lastlog", "wtmp", "btmp"}) write_file(root / "var/log" / log, "", 0644);
  link_usr(root);
  write_etc(root / "etc", disk);
  std::string authorized;
  for (const std::string& key : disk.authorized_keys) authorized += key + "\n";
  write_file(root / "root/.ssh/authorized_keys", authorized, 0600);
  return place_host_key(root / "etc/ssh", disk);
}

}  // namespace jarvis::providers
