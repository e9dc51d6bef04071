#include "bot/syslog_lines.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace jarvis::bot {

bool SyslogLines::connect() {
  socket_.reset();
  // Mostly there is one or there is none: where none is, a socket for nothing with every line is too much.
  if (::access(path_.c_str(), F_OK) != 0) return false;
  socket_ = pipeline::UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
  return ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool SyslogLines::write(const std::string& line) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 32> stamp{};
  (void)std::strftime(stamp.data(), stamp.size(), "%b %e %H:%M:%S", &local);
  const std::string text = "<" + std::to_string(LOG_AUTHPRIV | LOG_NOTICE) + ">" + stamp.data() + " jarvis[" +
                           std::to_string(::getpid()) + "]: " + line;
  const auto sent = [&] { return ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0; };
  if (socket_.get() >= 0 && sent()) return true;
  if (socket_.get() >= 0 && (errno == EAGAIN || errno == EMSGSIZE)) return false;
  return connect() && sent();  // a syslog that was started again has another socket
}

}  // namespace jarvis::bot
