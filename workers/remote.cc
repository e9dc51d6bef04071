#include "workers/remote.h"

namespace jarvis::workers {

namespace {

// Fixed scripts; what varies comes as $1 $2.
constexpr const char* kRead = "if [ -e \"$1\" ]; then exec cat \"$1\"; fi";
constexpr const char* kPlace =
    "set -e; folder=$(dirname \"$1\"); [ -d \"$folder\" ] || mkdir -p -m 700 \"$folder\"; "
    "if ! [ -e \"$1\" ]; then umask 077; : > \"$1\"; chmod \"$2\" \"$1\"; fi; ";

constexpr const char* kReplace =
    "set -e; folder=$(dirname \"$1\"); [ -d \"$folder\" ] || mkdir -p -m 755 \"$folder\"; umask 077; "
    "made=$(mktemp \"$1.XXXXXX\"); trap 'rm -f \"$made\"' EXIT; cat > \"$made\"; chown 0:0 \"$made\"; "
    "chmod \"$2\" \"$made\"; mv -f \"$made\" \"$1\"";

std::string shown(const std::vector<std::string>& arguments) {
  // A script is named by what it works on: its text tells a person nothing.
  if (arguments.size() > 4 && arguments[0] == "sh") return arguments[3] + ' ' + arguments[4];
  return shell_command(arguments);
}

}  // namespace

std::string shell_quoted(std::string_view text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\0') throw Error(Kind::Usage, "an argument of a remote command holds a NUL byte");
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + '\'';
}

std::string shell_command(const std::vector<std::string>& arguments) {
  std::string command;
  for (const std::string& one : arguments) command += (command.empty() ? "" : " ") + shell_quoted(one);
  return command;
}

std::string on_a_new_line(const std::string& before, const std::string& lines) {
  return (before.empty() || before.back() == '\n' ? "" : "\n") + lines;
}

RemoteResult RemoteHost::try_run(const std::vector<std::string>& arguments, const std::string& input) {
  std::vector<std::string> all = {"env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                  "LC_ALL=C"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  last_words_.clear();
  return session_.run(shell_command(all), input, [this](std::string_view line) {
    if (!line.empty()) last_words_ = line;
    call_.log("remote: " + std::string(line));
  });
}

std::string RemoteHost::run(const std::vector<std::string>& arguments, const std::string& input) {
  RemoteResult result = try_run(arguments, input);
  if (result.exit_status == 0 && result.signal.empty()) return std::move(result.output);
  throw Error(Kind::Permanent, session_.place() + ": `" + shown(arguments) + "` " +
                                   (result.signal.empty() ? "ended with status " + std::to_string(result.exit_status)
                                                          : "was ended by signal " + result.signal) +
                                   (last_words_.empty() ? "" : ": " + last_words_));
}

std::string RemoteHost::read_file(const std::string& path) {
  return run({"sh", "-c", kRead, "read", path});
}

void RemoteHost::write_file(const std::string& path, const std::string& text, const std::string& mode) {
  run({"sh", "-c", std::string(kPlace) + "exec cat > \"$1\"", "write", path, mode}, text);
}

void RemoteHost::replace_file(const std::string& path, const std::string& text, const std::string& mode) {
  run({"sh", "-c", kReplace, "replace", path, mode}, text);
}

void RemoteHost::append_file(const std::string& path, const std::string& text, const std::string& mode) {
  run({"sh", "-c", std::string(kPlace) + "exec cat >> \"$1\"", "append to", path, mode}, text);
}

}  // namespace jarvis::workers
