#include "bot/holder.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <iostream>
#include <thread>

#include "bot/answer.h"
#include "bot/bucket.h"
#include "bot/by_hand.h"
#include "bot/chat.h"
#include "bot/commands.h"
#include "bot/log.h"
#include "bot/orphan_watch.h"
#include "bot/reporter.h"
#include "bot/session.h"
#include "bot/short_slices.h"
#include "bot/words.h"
#include "pipeline/error.h"

namespace jarvis::bot {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using Socket = asio::local::stream_protocol::socket;
using pipeline::Error;
using pipeline::Kind;
using pipeline::Run;

constexpr std::size_t kLargeCommand = 256U << 10U;
constexpr std::size_t kLongestCommand = 4096;  // of such a person
constexpr int kMostOfOne = 32;                 // connections at once of somebody who is neither root nor the owner

// systemd's readiness protocol (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET names.
void notify(const char* text) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || std::strlen(path) >= sizeof(sockaddr_un::sun_path)) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const pipeline::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  if (fd)
    (void)::sendto(fd.get(), text, std::strlen(text), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
}

// A thousand workers are three thousand pipes. And memory that one attempt gave back is what the next one takes: giving
// it to the system in between costs a third of the loop's time in page faults. What a large command needed is given
// back when it ends.
void prepare_process() {
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  ::mallopt(M_TOP_PAD, 256 << 10);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

class Holder {
 public:
  Holder(Settings settings, const Installation& installation, StateDirectory& state, House::Purpose purpose)
      : grace_(settings.grace),
        acceptor_(loop_),
        signals_(loop_, SIGTERM, SIGINT),
        hangup_(loop_),
        watchdog_(loop_),
        idle_(loop_),
        state_(state),
        house_(loop_, std::move(settings), installation, state, purpose) {
    house_.pipeline().listen([this](const Run& run, Run::What what) { heard(run, what); });
    if (purpose != House::Purpose::Look) listen();
    wait_for_signals();
  }

  ~Holder() { house_.pipeline().shop().join_forkservers(); }

  House& house() { return house_; }
  asio::io_context& loop() { return loop_; }

  void begin_session(Socket socket) {
    ++sessions_;
    asio::co_spawn(loop_, session(std::move(socket)), asio::detached);
  }

  // Links, and who tells people how their runs go; before the interrupted runs go on, so that they are told.
  void begin_chat() {
    chat_ = std::make_unique<Chat>(loop_, house_);
    reporter_ = std::make_unique<Reporter>(loop_, house_, *chat_);
    chat_->arrange();
  }
  void catch_up() {
    reporter_->catch_up();
    orphan_watch_ = std::make_unique<OrphanWatch>(loop_, house_, *chat_);
    orphan_watch_->begin();
  }

  // SIGHUP reads the configuration again; `read` throws what is wrong with it.
  void reload_on_hangup(std::function<Settings()> read) {
    boost::system::error_code known_already;
    hangup_.add(SIGHUP, known_already);
    hangup_.async_wait([this, read](auto error, int) {
      if (error) return;
      reload(read);
      reload_on_hangup(read);
    });
  }

  // systemd restarts a jarvis whose loop stands still (sd_watchdog_enabled(3)): half of its time between two signs.
  void begin_watchdog() {
    const char* usec = std::getenv("WATCHDOG_USEC");
    const auto every = std::chrono::microseconds(usec != nullptr ? std::atoll(usec) / 2 : 0);
    if (every > std::chrono::microseconds(0)) show_life(every);
  }

  // Runs the loop until nothing is to be done (foreground) or somebody stops it.
  void run(bool until_stopped) {
    asio::co_spawn(loop_, last_one_out(until_stopped), asio::detached);
    loop_.run();
  }

 private:
  void reload(const std::function<Settings()>& read) {
    try {
      Settings settings = read();
      grace_ = settings.grace;
      house_.reload(std::move(settings));
      if (chat_) chat_->arrange();
      set_doors();
      log_info("the configuration was read again");
    } catch (const std::exception& e) {
      log_error(std::string("the configuration stays as it was: ") + e.what());
    }
  }

  void show_life(std::chrono::microseconds every) {
    notify("WATCHDOG=1");
    watchdog_.expires_after(every);
    watchdog_.async_wait([this, every](auto error) {
      if (!error) show_life(every);
    });
  }

  void listen() {
    const std::string path = state_.socket();
    ::unlink(path.c_str());  // ours to remove: we hold the lock
    const pipeline::UniqueFd directory(::open(state_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const std::string name = "/proc/self/fd/" + std::to_string(directory.get()) + "/socket";  // as connect_to() does
    const mode_t before = ::umask(0177);
    try {
      acceptor_.open();
      acceptor_.bind(asio::local::stream_protocol::endpoint(name));
    } catch (const std::exception& e) {
      ::umask(before);
      throw Error(Kind::Permanent, "the control socket " + path + ": " + e.what());
    }
    ::umask(before);
    set_doors();  // before anybody can connect
    acceptor_.listen(1024);
    asio::co_spawn(loop_, accept(), asio::detached);
  }

  awaitable<void> accept() {
    for (;;) {
      boost::system::error_code error;
      Socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (!acceptor_.is_open()) co_return;
      if (!error) {
        begin_session(std::move(socket));
        continue;
      }
      log_warning("the control socket: " + error.message());
      asio::steady_timer timer(loop_,
                               std::chrono::milliseconds(100));  // no descriptors left: give others a chance to end
      co_await timer.async_wait(asio::use_awaitable);
    }
  }

  awaitable<void> session(Socket socket) {
    try {
      auto one = std::make_shared<Session>(std::move(socket));
      std::erase_if(conversations_, [](const auto& old) { return old.expired(); });
      const bool room = has_room_for(one->uid());
      if (room) {
        conversations_.push_back(one);
        if (stopping_) one->hurry();  // who comes now is served, if he is quick
        co_await answer_to(one);
      }
    } catch (const std::exception&) {  // somebody went away before he said what he wants
    }
    --sessions_;
    idle_.cancel();
  }

  awaitable<void> answer_to(std::shared_ptr<Session> session) {
    int status = kFailed;
    try {
      co_await session->begin();
      session->set_asker(asker_of_uid(house_.settings(), session->uid(), state_.owner()));
      refuse_out_of_bounds(*session);
      const Verdict verdict = may(house_.settings(), session->asker(), {session->invocation().row->name, {}, ""});
      // Whoever may not say it need not send his files.
      if (verdict.allowed) co_await session->read_inputs();
      const bool by_hand = session->record().is_object();
      if (by_hand) note_by_hand(house_, *session);
      status = kDone;
      if (!by_hand) status = co_await answer(house_, *session, session->said());
    } catch (const Error& e) {  // no command at all
      session->error((e.kind() == Kind::Refused ? "refused: " : "") + std::string(e.what()));
      status = exit_status_of(e);
    }
    session->exit(status);
    co_await session->drained();
    const bool large = session->input_bytes() > kLargeCommand;
    session.reset();
    if (large) ::malloc_trim(0);  // what it needed goes back: a bot runs for months
  }

  bool owns(unsigned uid) const { return uid == 0 || uid == state_.owner(); }

  // Whoever owns nothing here takes no descriptors from those who do, and fills no disk with what he is refused.
  bool has_room_for(unsigned uid) const {
    const auto his = std::count_if(conversations_.begin(), conversations_.end(), [&](const auto& one) {
      const auto open = one.lock();
      return open && open->uid() == uid;
    });
    return owns(uid) || his < kMostOfOne;
  }
  void refuse_out_of_bounds(const Session& session) {
    if (owns(session.uid())) return;
    if (session.said().size() > kLongestCommand)
      throw Error(Kind::Refused, "a command has at most " + std::to_string(kLongestCommand) + " bytes");
    // The end of what somebody was allowed to do by hand is written down whatever else he asks.
    if (session.record().is_object() && !session.asker().person.empty()) return;
    const auto now = std::chrono::steady_clock::now();
    const bool taken = buckets_.try_emplace(session.uid(), now).first->second.take(now);
    if (!taken) throw Error(Kind::Refused, "too many commands at once, two a second are answered");
  }

  // People with a uid of their own reach the socket; without such people nobody does but root and the owner.
  void set_doors() {
    const auto& people = house_.settings().people;
    const bool open = std::any_of(people.begin(), people.end(), [&](const Person& one) {
      return std::any_of(one.uids.begin(), one.uids.end(), [&](unsigned uid) { return !owns(uid); });
    });
    try {
      if (open) ::umask(077);  // also what is made in there later is for nobody else
      if (acceptor_.is_open()) state_.open_to_others(open);
    } catch (const std::exception& e) {
      log_error(std::string("people with `unix:` cannot reach the control socket: ") + e.what());
    }
  }

  void heard(const Run& run, Run::What what) {
    if (what == Run::What::Ended) idle_.cancel();
    if (what == Run::What::Ended)
      log_info("run " + run.record().id + ": " + status_line(run.view(), run.record().host));
    if (what == Run::What::Stage && log_debugs())
      log_debug("run " + run.record().id + ": " + status_line(run.view(), run.record().host));
  }

  void wait_for_signals() {
    signals_.async_wait([this](auto error, int number) {
      if (error) return;
      if (++asked_ > 2) ::_exit(128 + number);  // the journal knows where everything stands
      for (const auto& session : conversations_) {
        if (const auto open = session.lock()) open->hurry();
      }
      wait_for_signals();
      if (stopping_) return house_.pipeline().hurry();
      stopping_ = true;
      if (house_.pipeline().busy() > 0) {
        log_warning("stopping: tasks under way get " + in_words(grace_) + " to end (again to stop at once)");
      }
      asio::co_spawn(loop_, stop(), asio::detached);
    });
  }

  awaitable<void> stop() {
    notify("STOPPING=1");
    co_await house_.pipeline().stop(grace_);
    if (orphan_watch_) co_await orphan_watch_->stop();
    if (reporter_) reporter_->stop();
    if (chat_) co_await chat_->stop();
    stopped_ = true;
    close_door();
    idle_.cancel();
  }

  // Whoever finds the socket gone takes the lock himself, as soon as it is free.
  void close_door() {
    if (!acceptor_.is_open()) return;
    ::unlink(state_.socket().c_str());
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  }

  // Leaves the loop when the last thing is done. New commands are refused a place in the queue from then on.
  awaitable<void> last_one_out(bool until_stopped) {
    for (;;) {
      const bool done = until_stopped || stopping_ ? stopped_ : house_.pipeline().busy() == 0;
      if (done && sessions_ == 0) break;
      idle_.expires_after(std::chrono::hours(24));
      boost::system::error_code woken;
      co_await idle_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    close_door();
    boost::system::error_code ignored;
    signals_.cancel(ignored);
    hangup_.cancel(ignored);
    watchdog_.cancel();
    co_await house_.pipeline().stop(std::chrono::seconds(0));  // those that wait for their confirmation
    loop_.stop();
  }

  std::chrono::milliseconds grace_;
  asio::io_context loop_{1};
  asio::local::stream_protocol::acceptor acceptor_;
  asio::signal_set signals_, hangup_;
  asio::steady_timer watchdog_;
  asio::steady_timer idle_;
  StateDirectory& state_;
  House house_;
  std::unique_ptr<Chat> chat_;
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<OrphanWatch> orphan_watch_;
  std::vector<std::weak_ptr<Session>> conversations_;
  std::map<unsigned, Bucket> buckets_;  // by uid
  int sessions_ = 0, asked_ = 0;
  bool stopping_ = false, stopped_ = false;
};

}  // namespace

int hold_for_command(Settings settings, const Installation& installation, StateDirectory& state,
                     const FrontRequest& request) {
  prepare_process();
  // Who only looks is no place for other people's runs: whoever comes meanwhile tries again until this has looked.
  Holder holder(std::move(settings), installation, state,
                request.invocation.row->changes ? House::Purpose::Carry : House::Purpose::Look);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw pipeline::system_error("socketpair");
  holder.begin_session(Socket(holder.loop(), asio::local::stream_protocol(), ends[0]));
  FrontResult result;
  std::exception_ptr fault;
  std::thread front([&] {
    sigset_t all;  // signals are the loop's
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    try {
      result = converse(ends[1], request);
    } catch (...) {
      fault = std::current_exception();
    }
  });
  holder.run(false);
  front.join();
  if (fault) std::rethrow_exception(fault);
  return result.status;
}

int hold_and_serve(Settings settings, const Installation& installation, StateDirectory& state,
                   std::function<Settings()> reread) {
  prepare_process();
  ask_for_short_slices();
  for (const std::string& section : settings.unused_sections)
    log_warning("configuration: `" + section + ":` is not used by this version");
  Holder holder(std::move(settings), installation, state, House::Purpose::Serve);
  holder.house().pipeline().shop().start_forkservers({"core", "ssh"});
  holder.begin_chat();
  for (const auto& record : holder.house().pipeline().interrupted(std::nullopt)) {
    try {
      holder.house().pipeline().resume(record.id, holder.house().directory_for(""));
      log_info("run " + record.id + ": goes on, " + record.host + " was interrupted at " + record.stage);
    } catch (const std::exception& e) {
      log_error("run " + record.id + " of " + record.host + " cannot go on: " + e.what());
    }
  }
  holder.catch_up();
  holder.begin_watchdog();
  if (reread) holder.reload_on_hangup(reread);
  log_info("ready, state " + state.path().string());
  notify("READY=1");
  holder.run(true);
  log_info("stopped");
  return 0;
}

}  // namespace jarvis::bot
