#include "bot/link.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>

#include "bot/links/wire.h"
#include "bot/log.h"
#include "bot/short_slices.h"
#include "bot/words.h"
#include "pipeline/error.h"
#include "pipeline/plan.h"

namespace jarvis::bot {

namespace asio = boost::asio;
using asio::awaitable;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kLongestLine = 1U << 20U;
constexpr std::size_t kMostQueued = 4U << 20U;  // bytes for a link that does not read
constexpr std::size_t kLongestNote = 500;
constexpr std::size_t kLeastLimit = 64, kMostLimit = 60'000;
constexpr int kFlood = 100;  // bad lines within 10 s

std::vector<std::string> environment() {
  std::vector<std::string> made;
  for (const char* name : {"PATH", "HOME", "LANG", "TMPDIR"}) {
    if (const char* value = std::getenv(name)) made.push_back(std::string(name) + "=" + value);
  }
  // Sanitizers are told by their environment where to report.
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) made.push_back(std::string(name) + "=" + value);
  }
  return made;
}

std::pair<pipeline::UniqueFd, pipeline::UniqueFd> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw pipeline::system_error("a pipe");
  return {pipeline::UniqueFd(ends[0]), pipeline::UniqueFd(ends[1])};
}

// The next line, without its end. Throws what ends the stream; not_found for a line that is too long.
awaitable<std::string> next_line(asio::posix::stream_descriptor& from, std::string& unread) {
  const std::size_t size =
      co_await asio::async_read_until(from, asio::dynamic_buffer(unread, kLongestLine), '\n', asio::use_awaitable);
  std::string line = unread.substr(0, size - 1);
  unread.erase(0, size);
  co_return line;
}

}  // namespace

std::filesystem::path program_of(const LinkSettings& link, const std::filesystem::path& programs) {
  switch (link.kind) {
    case LinkSettings::Kind::Irc:
      return programs / "jarvis-irc";
    case LinkSettings::Kind::Xmpp:
      return programs / "jarvis-xmpp";
    case LinkSettings::Kind::Other:
      return link.run;
  }
  return {};
}

Link::Link(asio::io_context& loop, LinkSettings settings, std::filesystem::path program, Heard heard,
           LinkPatience patience)
    : loop_(loop),
      settings_(std::move(settings)),
      program_(std::move(program)),
      heard_(std::move(heard)),
      patience_(patience),
      in_(loop),
      out_(loop),
      log_(loop),
      ended_(loop),
      timer_(loop) {}

Link::~Link() {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
}

void Link::start() {
  asio::co_spawn(loop_, live(), [self = shared_from_this()](std::exception_ptr) {});
}

// Forks the link's process: own group, our pipes, nothing of ours else; it dies with us.
bool Link::begin() {
  try {
    const std::string why = pipeline::why_not_runnable(program_.string());
    if (!why.empty()) throw pipeline::Error(pipeline::Kind::Usage, why);
    auto [their_in, our_in] = make_pipe();
    auto [our_out, their_out] = make_pipe();
    auto [our_log, their_log] = make_pipe();
    const std::vector<std::string> variables = environment();
    std::vector<char*> envp;
    envp.reserve(variables.size() + 1);
    for (const std::string& one : variables) envp.push_back(const_cast<char*>(one.c_str()));
    envp.push_back(nullptr);
    const std::string program = program_.string();
    char* argv[] = {const_cast<char*>(program.c_str()), nullptr};
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) throw pipeline::system_error("fork");
    if (pid == 0) {  // only calls that are safe after a fork of a process with threads
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(127);
      ::setpgid(0, 0);
      if (::dup2(their_in.get(), 0) < 0 || ::dup2(their_out.get(), 1) < 0 || ::dup2(their_log.get(), 2) < 0)
        ::_exit(127);
      ::syscall(SYS_close_range, 3, ~0U, 0);
      ask_for_short_slices();
      sigset_t none;
      ::sigemptyset(&none);
      ::sigprocmask(SIG_SETMASK, &none, nullptr);
      for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
      ::execve(argv[0], argv, envp.data());
      ::_exit(errno == ENOENT ? 127 : 126);
    }
    ::setpgid(pid, pid);
    pid_ = pid;
    const int watch = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (watch < 0) throw pipeline::system_error("pidfd_open");
    ::fcntl(our_in.get(), F_SETFL, O_NONBLOCK);
    in_.assign(our_in.release());
    out_.assign(our_out.release());
    log_.assign(our_log.release());
    ended_.assign(watch);
  } catch (const std::exception& e) {
    log_error("link " + name() + ": cannot start " + program_.string() + ": " + e.what());
    reap();  // it may run already, but nobody could watch it
    return false;
  }
  queue_.clear();
  queued_ = 0;
  bad_lines_ = 0;
  began_ = Clock::now();
  ++lives_;
  send(nlohmann::json::parse(settings_.config));
  return true;
}

awaitable<void> Link::live() {
  const auto self = shared_from_this();
  auto delay = patience_.first_delay;
  while (!stopping_) {
    if (begin()) {
      parts_ = 2;
      const auto part_ended = [self](std::exception_ptr) {
        --self->parts_;
        self->timer_.cancel();
      };
      asio::co_spawn(loop_, read_events(), part_ended);
      asio::co_spawn(loop_, read_log(), part_ended);
      boost::system::error_code ignored;
      co_await ended_.async_wait(asio::posix::stream_descriptor::wait_read,
                                 asio::redirect_error(asio::use_awaitable, ignored));
      // What it said last is still in the pipes; who keeps them open after it gets no more than a second.
      timer_.expires_after(patience_.linger);
      while (parts_ > 0 && timer_.expiry() > Clock::now())
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      reap();
      while (parts_ > 0) {
        timer_.expires_after(1s);
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      }
      if (Clock::now() - began_ > patience_.healthy) delay = patience_.first_delay;
    }
    if (stopping_) break;
    log_warning("link " + name() + ": it is started again in " + in_words(delay));
    timer_.expires_after(delay);
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    delay = std::min(delay * 2, patience_.longest_delay);
  }
  timer_.cancel();
}

void Link::reap() {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);  // what it may have left of its group
  int status = 0;
  ::waitpid(pid_, &status, 0);
  if (!stopping_ && WIFEXITED(status))
    log_warning("link " + name() + ": its process ended with exit status " + std::to_string(WEXITSTATUS(status)));
  if (!stopping_ && WIFSIGNALED(status))
    log_warning("link " + name() + ": its process was killed by signal " + std::to_string(WTERMSIG(status)));
  pid_ = 0;
  boost::system::error_code ignored;
  for (auto* one : {&in_, &out_, &log_, &ended_}) one->close(ignored);
  queue_.clear();
  queued_ = 0;
  if (std::exchange(up_, false)) heard_(*this, {{"type", "down"}, {"why", "the link's process ended"}});
  for (const auto& [id, then] : std::exchange(awaited_, {})) then(false);
}

void Link::settle(std::uint64_t id, bool said) {
  const auto found = awaited_.find(id);
  if (found == awaited_.end()) return;
  const Then then = std::move(found->second);
  awaited_.erase(found);
  then(said);
}

awaitable<void> Link::read_events() {
  std::string unread;
  try {
    for (;;) hear(co_await next_line(out_, unread));
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::not_found && pid_ > 0) {
      log_warning("link " + name() + ": a line of more than 1 MiB; it is ended");
      ::kill(-pid_, SIGKILL);
    }
  }
}

awaitable<void> Link::read_log() {
  std::string unread;
  try {
    for (;;) {
      std::string line = co_await next_line(log_, unread);
      if (line.size() > kLongestNote) line.resize(kLongestNote);
      log_info("link " + name() + ": " + links::clean_text(line));
    }
  } catch (const boost::system::system_error&) {
  }
}

void Link::bad_line(const std::string& why) {
  if (Clock::now() - bad_since_ > 10s) {
    bad_since_ = Clock::now();
    bad_lines_ = 0;
  }
  if (++bad_lines_ <= 3) log_warning("link " + name() + ": a line that is no event: " + why);
  if (bad_lines_ < kFlood) return;
  log_warning("link " + name() + ": a flood of lines that are no events; it is ended");
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
}

void Link::hear(const std::string& line) {
  if (bad_lines_ >= kFlood) return;  // it is ended: what it still had in the pipe is of no interest
  const auto object = nlohmann::json::parse(line, nullptr, false);
  if (!object.is_object() || !object.contains("type") || !object["type"].is_string())
    return bad_line(links::clean_text(line.substr(0, 200)));
  try {
    if (object["type"] == "up") {
      const std::string nick = object.value("nick", "");  // all of it counts, or nothing
      limit_ = std::clamp<std::size_t>(object.value("limit", limit_), kLeastLimit, kMostLimit);
      nick_ = links::clean_text(nick);
      confirms_ = object.value("confirms", false);
      up_ = true;
    }
    if (object["type"] == "said" || object["type"] == "unsaid")
      return settle(object.value("id", std::uint64_t{0}), object["type"] == "said");
    if (object["type"] == "down") up_ = false;
    heard_(*this, object);
  } catch (const nlohmann::json::exception& e) {  // a field of another type than the contract says
    bad_line(e.what());
  } catch (const std::exception& e) {  // whatever it was: this link is heard on
    log_error("link " + name() + ": a fault in jarvis: " + e.what());
  }
}

bool Link::send(nlohmann::json object, Then then) {
  if (!in_.is_open() || queued_ > kMostQueued) {
    if (then) then(false);
    return false;
  }
  if (then && confirms_) {
    object["id"] = ++last_id_;
    awaited_[last_id_] = std::exchange(then, {});
  }
  queue_.push_back(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  queued_ += queue_.back().size();
  if (!writing_) write();
  if (then) then(true);
  return true;
}

void Link::write() {
  writing_ = true;
  asio::async_write(in_, asio::buffer(queue_.front()),
                    [self = shared_from_this(), life = lives_](auto error, std::size_t) {
                      self->writing_ = false;
                      const bool same = life == self->lives_;  // else it was started again meanwhile
                      if (same && error) return;
                      if (same && !self->queue_.empty()) {
                        self->queued_ -= self->queue_.front().size();
                        self->queue_.pop_front();
                      }
                      if (!self->queue_.empty()) self->write();
                    });
}

awaitable<void> Link::stop() {
  const auto self = shared_from_this();
  stopping_ = true;
  timer_.cancel();
  if (pid_ <= 0) co_return;
  send({{"type", "stop"}});
  const auto until = Clock::now() + patience_.stop;
  bool closed = false;
  asio::steady_timer tick(loop_);
  while (pid_ > 0 && Clock::now() < until) {
    if (!closed && queue_.empty()) {
      boost::system::error_code ignored;
      in_.close(ignored);  // the end of its input, after everything said
      closed = true;
    }
    tick.expires_after(10ms);
    co_await tick.async_wait(asio::use_awaitable);
  }
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
  while (pid_ > 0) {
    tick.expires_after(10ms);
    co_await tick.async_wait(asio::use_awaitable);
  }
}

}  // namespace jarvis::bot
