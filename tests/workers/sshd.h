// A real sshd for the tests, on 127.0.0.1, in mount, pid and uts namespaces of its own with its own /etc, /root and
// /run: what a task changes there stays there, and ending one process ends everything that ran in it. Needs root.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "tests/workers/scratch.h"
#include "workers/openssh_key.h"
#include "workers/program.h"

namespace jarvis::tests {

inline bool can_run_sshd() {
  return ::geteuid() == 0 && ::access("/usr/sbin/sshd", X_OK) == 0;
}

inline sockaddr_in loopback(int port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(static_cast<std::uint16_t>(port));
  made.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return made;
}

// A listening socket on a port below the range that outgoing connections use.
struct Listener {
  int fd = -1;
  int port = 0;
  Listener() {
    for (port = 20000 + static_cast<int>(::getpid() % 5000); port < 32768; ++port) {
      fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in where = loopback(port);
      if (::bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0 && ::listen(fd, 8) == 0) return;
      ::close(fd);
    }
    throw std::runtime_error("no free port");
  }
  ~Listener() { close(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  void close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

class Sshd {
 public:
  // `key_types`: host keys as ssh-keygen -t names them. The login key is authorized unless said otherwise. `option`:
  // one more for sshd; with -r it reads its host keys once, not for every connection.
  explicit Sshd(const std::vector<std::string>& key_types = {"ed25519"}, bool authorize = true,
                const char* option = "-D")
      : option_(option) {
    login = workers::make_ed25519_pair("jarvis@test");
    std::string config =
        "ListenAddress 127.0.0.1\nPidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\n";
    for (const char* folder : {"etc", "etc/ssh", "root", "root/.ssh"}) std::filesystem::create_directory(dir / folder);
    for (const std::string& type : key_types) {
      const std::string file = dir / ("etc/ssh/ssh_host_" + type + "_key");
      if (type == "ed25519") {
        // Our own writer, so that sshd is one more reader that has to understand it.
        const workers::KeyPair pair = workers::make_ed25519_pair("root@test");
        write_text(file, pair.private_text);
        write_text(file + ".pub", pair.public_line + "\n");
      } else {
        workers::run_program({"ssh-keygen", "-q", "-t", type, "-N", "", "-f", file});
      }
      host_keys.push_back(workers::check_public_key(read_text(file + ".pub")));
      config += "HostKey /etc/ssh/ssh_host_" + type + "_key\n";
    }
    write_text(dir / "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n",
               0644);
    write_text(dir / "etc/group", "root:x:0:\nshadow:x:42:\nnogroup:x:65534:\n", 0644);
    write_text(dir / "etc/shadow", "root:*:19000:0:99999:7:::\nsshd:!:19000::::::\n");
    write_text(dir / "etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n", 0644);
    write_text(dir / "etc/hosts", "127.0.0.1 localhost", 0644);  // no newline at its end, on purpose
    write_text(dir / "etc/hostname", "unnamed\n", 0644);
    if (authorize) write_text(dir / "root/.ssh/authorized_keys", "# first\n" + login.public_line);
    write_text(dir / "etc/ssh/sshd_config", config, 0644);
    start();
  }
  ~Sshd() { stop(); }
  Sshd(const Sshd&) = delete;
  Sshd& operator=(const Sshd&) = delete;

  void stop() {
    if (pid_ > 0) {
      // The namespace's first process takes all others along; unshare then reaps it and ends, too.
      const std::string number = std::to_string(pid_);
      const std::string first = read_text("/proc/" + number + "/task/" + number + "/children");
      ::kill(first.empty() ? pid_ : std::stoi(first), SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      wait_until_it_says("nothing more");  // until the last one that could write there is gone
      ::close(log_);
    }
    pid_ = -1;
  }

  // A clipboard as keys:prepare and a provider would have left it.
  std::string clipboard() const {
    std::string text =
        "hostname: loki\nfqdn: loki.example.org\nipaddress: [127.0.0.1]\nssh_port: " + std::to_string(port) +
        "\nssh_host_keys:\n";
    for (const auto& key : host_keys) text += "  - " + key.line() + "\n";
    auto made = workers::Clipboard::parse(text);
    made.set("ssh_login_key", login.private_text);
    made.set("ssh_login_pubkey", login.public_line);
    return made.text();
  }

  TempDir dir;
  int port = 0;
  std::vector<workers::PublicKey> host_keys;
  workers::KeyPair login;

 private:
  void start() {
    // set -e: without its own /etc and /root nothing is started.
    static constexpr const char* kSetUp =
        "set -e; mount --bind \"$1/etc\" /etc; mount --bind \"$1/root\" /root; mount -t proc proc /proc; mount -t "
        "tmpfs tmpfs /run; "
        "mkdir /run/sshd; exec /usr/sbin/sshd -D -e -o Port=\"$2\" \"$3\"";
    for (int tries = 0; tries < 5; ++tries) {
      {
        const Listener probe;
        port = probe.port;
      }
      int ends[2];
      if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
      const std::string number = std::to_string(port);
      const std::string folder = dir.text();
      pid_ = ::fork();
      if (pid_ == 0) {
        ::dup2(ends[1], 2);
        ::execl("/usr/bin/unshare", "unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "sh", "-c",
                kSetUp, "sshd", folder.c_str(), number.c_str(), option_, nullptr);
        ::_exit(127);
      }
      ::close(ends[1]);
      // sshd goes on writing there: the end stays open as long as it lives.
      log_ = ends[0];
      if (wait_until_it_says("Server listening")) return;
      stop();
    }
    throw std::runtime_error("sshd does not start: " + said_);
  }

  // False at the end of file.
  bool wait_until_it_says(const std::string& words) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    said_.clear();
    char buffer[4096];
    while (!holds(said_, words)) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd one{log_, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&one, 1, static_cast<int>(left.count())) <= 0) return false;
      const ssize_t n = ::read(log_, buffer, sizeof buffer);
      if (n <= 0) return false;
      said_.append(buffer, static_cast<std::size_t>(n));
    }
    return true;
  }

  const char* option_;
  ::pid_t pid_ = -1;
  int log_ = -1;
  std::string said_;
};

}  // namespace jarvis::tests
