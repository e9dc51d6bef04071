// Commands on a host, from argument lists: quoted here, run over a logged-in session, their stderr in the attempt's log
// behind "remote: ". Knows no clipboard key and no task.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workers/ssh_session.h"
#include "workers/worker.h"

namespace jarvis::workers {

// One word for a POSIX shell that means exactly `text`. Error(Usage) for text with a NUL byte, which no argument can
// hold.
std::string shell_quoted(std::string_view text);
std::string shell_command(const std::vector<std::string>& arguments);

// The lines as they are to be appended to a file of this text, which may lack its last newline.
std::string on_a_new_line(const std::string& before, const std::string& lines);

class RemoteHost {
 public:
  // Both must outlive this.
  RemoteHost(SshSession& session, const Call& call) : session_(session), call_(call) {}

  // Runs as root with a plain environment (PATH of the system, LC_ALL=C). Blocks until the command has ended.
  // try_run() leaves its status to the caller; run() gives its stdout, or Error(Permanent) naming command, status and
  // the last line of its stderr. `input` is never logged; arguments are, in errors: no secrets there.
  RemoteResult try_run(const std::vector<std::string>& arguments, const std::string& input = {});
  std::string run(const std::vector<std::string>& arguments, const std::string& input = {});

  // The file's text, empty if there is none. Error(Permanent) when it is there but cannot be read.
  std::string read_file(const std::string& path);
  // Replaces or appends; a new file gets this mode, a new folder above it 0700.
  void write_file(const std::string& path, const std::string& text, const std::string& mode);
  // Replaces as a whole, owned by root and with exactly this mode; no moment in which others could read it or half of
  // it is there.
  void replace_file(const std::string& path, const std::string& text, const std::string& mode);
  void append_file(const std::string& path, const std::string& text, const std::string& mode);

  const Call& call() const { return call_; }

 private:
  SshSession& session_;
  const Call& call_;
  std::string last_words_;
};

}  // namespace jarvis::workers
