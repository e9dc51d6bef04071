// Lines to the machine's syslog (/dev/log, RFC 3164) that never wait: syslog(3) blocks as long as nobody reads there,
// and the loop must not. What cannot be handed over is dropped.
#pragma once

#include <string>

#include "pipeline/unique_fd.h"

namespace jarvis::bot {

class SyslogLines {
 public:
  explicit SyslogLines(std::string path = "/dev/log") : path_(std::move(path)) {}

  // Facility authpriv, severity notice, as `jarvis[PID]`. False when it was dropped.
  bool write(const std::string& line);

 private:
  bool connect();

  std::string path_;
  pipeline::UniqueFd socket_;
};

}  // namespace jarvis::bot
