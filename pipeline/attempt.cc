#include "pipeline/attempt.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <climits>
#include <cstring>

#include "pipeline/error.h"
#include "pipeline/survivors.h"

namespace jarvis::pipeline {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto kKillAgain = 10s;   // a process that does not die of KILL hangs in the kernel; it is told again
constexpr int kNotYetStatus = 75;  // EX_TEMPFAIL of sysexits.h

struct Pipe {
  UniqueFd read, write;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Only our end: the child gets ordinary blocking pipes.
void make_non_blocking(int fd) {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
}

std::string in_words(std::chrono::milliseconds time) {
  std::string text = std::to_string(time.count() / 1000);
  if (time.count() % 1000 != 0) {
    std::string part = std::to_string(1000 + time.count() % 1000).substr(1);
    part.erase(part.find_last_not_of('0') + 1);
    text += "." + part;
  }
  return text + " s";
}

}  // namespace

Attempt::Attempt(asio::io_context& loop, Forkserver& server, AttemptRequest request, std::function<void()> on_progress)
    : loop_(loop),
      server_(server),
      request_(std::move(request)),
      on_progress_(std::move(on_progress)),
      timer_(loop),
      out_{{}, Descriptor(loop)},
      err_{{}, Descriptor(loop)} {}

Attempt::~Attempt() {
  if (id_ != 0) server_.forget(id_);
}

asio::awaitable<AttemptResult> Attempt::run() {
  deadline_ = std::chrono::steady_clock::now() + request_.timeout;
  try {
    begin();
  } catch (const Error& e) {  // no descriptors left: crashed, so that it is asked again
    why_ = e.what();
    not_forked_ = true;
  }
  while (!over()) {
    timer_.expires_at(deadline_);
    boost::system::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (!woken && !over()) deadline_passed();
  }
  log_.finish();
  if (group_left_) {
    // Whoever is left of an attempt that did not end well must not meet the next one.
    if (phase_ > Phase::Running) server_.signal(id_, SIGKILL);
    server_.release(id_);
  }
  if (phase_ > Phase::Running || WIFSIGNALED(status_)) end_survivors();
  co_return result();
}

void Attempt::begin() {
  Pipe in = make_pipe(), out = make_pipe(), err = make_pipe();
  if (request_.input->size() > PIPE_BUF) make_non_blocking(in.write.get());  // less fits into any empty pipe
  make_non_blocking(out.read.get());
  make_non_blocking(err.read.get());
  in_ = std::move(in.write);
  out_.fd = std::move(out.read);
  err_.fd = std::move(err.read);
  out_.open = err_.open = true;
  write_input();  // a small clipboard fits into the pipe before anybody reads
  id_ = server_.fork(request_.fork, {std::move(in.read), std::move(out.write), std::move(err.write)}, *this);
  for (const std::string& one : request_.fork.environment) {
    if (one.starts_with("JARVIS_STEP=")) step_ = one.substr(12);
  }
  request_.fork = {};  // sent; an attempt may last long
}

void Attempt::write_input() {
  const std::string& input = *request_.input;
  const int fd = in_watched_ ? in_watched_->native_handle() : in_.get();
  while (written_ < input.size()) {
    const ssize_t n = ::write(fd, input.data() + written_, input.size() - written_);
    if (n > 0) {
      written_ += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      if (!in_watched_) in_watched_ = std::make_unique<Descriptor>(loop_, in_.release());
      in_watched_->async_wait(Descriptor::wait_write, [this, life = std::weak_ptr<int>(life_)](auto error) {
        if (!life.expired() && !error) write_input();
      });
      return;
    } else if (errno != EINTR) {
      break;  // EPIPE: it does not want to read, which is its right
    }
  }
  in_.reset();
  in_watched_.reset();
}

void Attempt::grow_up() {
  phase_ = Phase::Running;
  for (Stream* stream : {&out_, &err_}) {
    if (!stream->open) continue;
    stream->watched.assign(stream->fd.release());
    watch(*stream);
  }
}

void Attempt::watch(Stream& from) {
  from.watched.async_wait(Descriptor::wait_read, [this, &from, life = std::weak_ptr<int>(life_)](auto error) {
    if (life.expired() || error || !from.open) return;
    drain(from);
    if (from.open) return watch(from);
    if (over()) wake();
  });
}

void Attempt::close(Stream& from) {
  from.open = false;
  from.fd.reset();
  boost::system::error_code ignored;
  from.watched.close(ignored);
}

// Takes what is there now, up to the end of it; of a flood a part, so that others have their turn.
void Attempt::drain(Stream& from) {
  static thread_local char buffer[65536];
  for (int batch = 0; batch < 8 && from.open; ++batch) {
    const ssize_t n =
        ::read(from.watched.is_open() ? from.watched.native_handle() : from.fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0 || too_much(from, {buffer, static_cast<std::size_t>(n)})) return close(from);
  }
}

// Keeps the bytes. True: that was more than a worker may print, and it is ended.
bool Attempt::too_much(Stream& from, std::string_view bytes) {
  if (&from == &err_) {
    if (log_.feed(bytes) && on_progress_) on_progress_();
    return false;
  }
  output_ += bytes;
  if (output_.size() <= request_.output_limit) return false;
  too_large_ = true;
  kill();
  return true;
}

void Attempt::started(pid_t pid) {
  pid_ = pid;
  if (phase_ == Phase::Young) grow_up();
}

void Attempt::exited(const ForkMessage& report) {
  exited_ = true;
  status_ = report.status;
  group_left_ = report.group_left;
  usage_ = {std::chrono::microseconds(report.user_us), std::chrono::microseconds(report.system_us), report.max_rss_kib};
  // It crashed, and what it had begun would go on beside the next attempt.
  if (WIFSIGNALED(status_) && group_left_ && phase_ <= Phase::Running) server_.signal(id_, SIGKILL);
  // What is in the pipes is usually all there is: the end then needs no further turn of the loop.
  drain(out_);
  drain(err_);
  if (!over()) {
    if (phase_ == Phase::Young) grow_up();
    if (phase_ == Phase::Running) phase_ = Phase::Lingering;
    deadline_ = std::chrono::steady_clock::now() + (phase_ == Phase::Lingering ? request_.linger : 0ms);
  }
  wake();
}

void Attempt::not_forked(const std::string& why) {
  id_ = 0;
  not_forked_ = true;
  why_ = why;
  wake();
}

void Attempt::lost() {
  id_ = 0;
  lost_ = true;
  wake();
}

void Attempt::deadline_passed() {
  switch (phase_) {
    case Phase::Young:
    case Phase::Running:
      timed_out_ = true;
      return terminate();
    case Phase::Terminating:
    case Phase::Killing:
      kill();
      if (!exited_) return;
      [[fallthrough]];  // it is gone, somebody else holds its pipes
    case Phase::Lingering:
      if (group_left_) server_.signal(id_, SIGKILL);
      end_survivors();
      close(out_);
      close(err_);
      return;
  }
}

void Attempt::terminate() {
  if (phase_ == Phase::Young) grow_up();
  phase_ = Phase::Terminating;
  deadline_ = std::chrono::steady_clock::now() + request_.grace;
  server_.signal(id_, SIGTERM);
}

void Attempt::kill() {
  if (phase_ == Phase::Young && !exited_) grow_up();
  phase_ = Phase::Killing;
  deadline_ = std::chrono::steady_clock::now() + kKillAgain;
  if (id_ != 0) server_.signal(id_, SIGKILL);
  wake();
}

// Grandchildren in sessions of their own: the group's signal does not reach them.
void Attempt::end_survivors() {
  if (!step_.empty()) kill_survivors([this](std::string_view step) { return step == step_; });
}

void Attempt::cancel() {
  if (cancelled_ || over()) return;
  cancelled_ = true;
  if (phase_ <= Phase::Running) terminate();
  if (phase_ == Phase::Lingering) deadline_ = std::chrono::steady_clock::now();
  wake();
}

void Attempt::abandon() {
  abandoned_ = true;
  if (!over()) kill();
}

AttemptResult Attempt::result() {
  AttemptResult made;
  made.log = log_.text();
  made.last_words = log_.last_words();
  made.changes = log_.changes();
  made.costs = log_.costs();
  made.output = std::move(output_);
  made.usage = usage_;
  made.retry_after = log_.retry_after();
  made.lost = lost_ || abandoned_;
  if (WIFSIGNALED(status_)) made.signal = WTERMSIG(status_);
  if (WIFEXITED(status_)) made.exit_status = WEXITSTATUS(status_);
  if (made.lost) {
    made.outcome = Outcome::Crashed;
    made.why = "cut short";
  } else if (cancelled_ && !(exited_ && made.signal == 0 && made.exit_status == 0)) {
    // One that finished all the same has changed the world: its clipboard counts, the run ends after it.
    made.outcome = Outcome::Cancelled;
    made.why = "cancelled";
  } else if (not_forked_) {
    made.outcome = Outcome::Crashed;
    made.why = why_;
  } else if (too_large_) {
    made.outcome = Outcome::Failed;
    made.why = "printed more than " + std::to_string(request_.output_limit >> 20U) + " MiB";
    made.output.clear();
  } else if (timed_out_) {
    made.outcome = Outcome::TimedOut;
    made.why = "timed out after " + in_words(request_.timeout);
  } else if (made.signal != 0) {
    made.outcome = Outcome::Crashed;
    made.why = "killed by signal " + std::to_string(made.signal) + " (" + ::strsignal(made.signal) + ")";
  } else if (made.exit_status == 0) {
    made.outcome = Outcome::Succeeded;
  } else {
    made.outcome = Outcome::Failed;
    made.not_yet = made.exit_status == kNotYetStatus;
    made.why = "exit " + std::to_string(made.exit_status);
  }
  return made;
}

}  // namespace jarvis::pipeline
