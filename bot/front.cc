#include "bot/front.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "bot/progress_view.h"
#include "pipeline/error.h"
#include "pipeline/unique_fd.h"

namespace jarvis::bot {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::size_t kLargest = 8U << 20U;
constexpr int kTick = 250;  // ms between redraws of the live view

// Set by Ctrl-C where this process only talks; one that carries runs has a loop that hears it.
volatile std::sig_atomic_t interrupted = 0;

std::string read_input(const std::string& name) {
  pipeline::UniqueFd file(name == "-" ? ::dup(0) : ::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw Error(Kind::Usage, std::strerror(errno));
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(Kind::Usage, std::strerror(errno));
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kLargest) throw Error(Kind::Usage, "larger than 8 MiB");
  }
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // gone: the reading side will see it
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void print(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

class Conversation {
 public:
  Conversation(int socket, const FrontRequest& request)
      : socket_(socket),
        request_(request),
        live_(::isatty(1) != 0 && !request.invocation.quiet && !request.invocation.json),
        view_(live_) {}

  FrontResult run() {
    open();
    std::string line;
    bool ended = false;
    while (!ended && next_line(line)) ended = !line.empty() && !heard(nlohmann::json::parse(line));
    if (!ended) gone();
    view_.clear();
    return result_;
  }

 private:
  void open() {
    nlohmann::json inputs = nlohmann::json::array();
    for (const auto& [name, text] : request_.inputs) inputs.push_back({{"name", name}, {"size", text.size()}});
    for (const auto& [name, why] : request_.input_errors) inputs.push_back({{"name", name}, {"error", why}});
    char here[4096];
    const nlohmann::json request = {{"arguments", request_.arguments},
                                    {"terminal", ::isatty(0) != 0 && ::isatty(1) != 0},
                                    {"directory", ::getcwd(here, sizeof here) != nullptr ? here : "/"},
                                    {"inputs", inputs}};
    std::string text = request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    for (const auto& [name, bytes] : request_.inputs) text += bytes;
    write_all(socket_.get(), text);
  }

  // The other end went away, or this one leaves: what a person should know then.
  void gone() {
    view_.draw();
    if (view_.last_run().empty()) return;
    if (interrupted != 0)
      std::fprintf(stderr, "jarvis: %s goes on (run %s); `jarvis status %s` tells where it is\n",
                   view_.last_host().c_str(), view_.last_run().c_str(), view_.last_host().c_str());
    if (interrupted == 0) {
      std::fprintf(stderr,
                   "jarvis: the jarvis that carried run %s is gone; it goes on when `jarvis serve` runs again, or with "
                   "`jarvis retry %s`\n",
                   view_.last_run().c_str(), view_.last_host().c_str());
    }
  }

  // A line from the terminal; "no" if Ctrl-C, the end of input or the other end's leaving comes first.
  std::string answer() {
    std::string text;
    for (;;) {
      pollfd waits[2] = {{0, POLLIN, 0}, {socket_.get(), 0, 0}};
      if (interrupted != 0) break;
      if (::poll(waits, 2, -1) < 0) continue;
      if ((waits[1].revents & (POLLHUP | POLLERR)) != 0) break;
      char c = 0;
      if (waits[0].revents == 0) continue;
      if (::read(0, &c, 1) != 1) break;
      if (c == '\n') return text;
      text += c;
    }
    interrupted = 0;
    std::printf("\n");
    return "no";
  }

  // False at the end. Redraws while it waits.
  bool next_line(std::string& line) {
    for (;;) {
      if (interrupted != 0) return false;
      const std::size_t newline = buffer_.find('\n');
      if (newline != std::string::npos) {
        line = buffer_.substr(0, newline);
        buffer_.erase(0, newline + 1);
        return true;
      }
      pollfd wait{socket_.get(), POLLIN, 0};
      const int ready = ::poll(&wait, 1, live_ ? kTick : -1);
      if (ready == 0) view_.draw();
      if (ready <= 0) continue;
      char bytes[65536];
      const ssize_t n = ::read(socket_.get(), bytes, sizeof bytes);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      buffer_.append(bytes, static_cast<std::size_t>(n));
    }
  }

  bool heard(const nlohmann::json& message) {
    if (message.contains("hello")) result_.begun = true;
    if (message.contains("progress")) view_.heard(message["progress"]);
    if (message.contains("say")) say(stdout, message["say"].get<std::string>() + "\n");
    if (message.contains("error")) say(stderr, "jarvis: " + message["error"].get<std::string>() + "\n");
    if (message.contains("json")) say(stdout, message["json"].dump() + "\n");
    if (message.contains("raw")) say(stdout, message["raw"].get<std::string>());
    if (message.contains("ask")) {
      say(stdout, message["ask"].get<std::string>() + " ");
      write_all(
          socket_.get(),
          nlohmann::json({{"answer", answer()}}).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    }
    if (message.contains("exit")) {
      result_.status = message["exit"].get<int>();
      return false;
    }
    return true;
  }

  void say(std::FILE* to, const std::string& text) {
    view_.clear();
    print(to, text);
    view_.draw();
  }

  pipeline::UniqueFd socket_;
  const FrontRequest& request_;
  bool live_;
  ProgressView view_;
  std::string buffer_;
  FrontResult result_;
};

}  // namespace

FrontRequest make_request(const std::vector<std::string>& arguments) {
  FrontRequest made{arguments, parse_invocation(arguments), {}, {}};
  const CommandRow& row = *made.invocation.row;
  for (const std::string& word : made.invocation.words) {
    if (row.input == CommandRow::Input::None) break;
    // What looks like a URL or an LDAP name is not a path, and a HOST need not be a file.
    const bool file = word == "-" || ::access(word.c_str(), F_OK) == 0;
    if (row.input == CommandRow::Input::SpecOrHost && !file) continue;
    if (made.inputs.count(word) > 0) continue;
    if (!file && (word.find("://") != std::string::npos || word.find('=') != std::string::npos)) continue;
    try {
      made.inputs[word] = read_input(word);
    } catch (const Error& e) {
      made.input_errors[word] = e.what();
    }
  }
  return made;
}

void hear_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &action, nullptr);  // without SA_RESTART: poll and read come back
}

FrontResult converse(int socket, const FrontRequest& request) {
  return Conversation(socket, request).run();
}

int connect_to(const std::filesystem::path& path) {
  // By way of a descriptor: a socket's name has at most 107 bytes, a state directory's path may have more.
  const pipeline::UniqueFd directory(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return -1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory.get(),
                path.filename().c_str());
  pipeline::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return -1;
  return fd.release();
}

}  // namespace jarvis::bot
