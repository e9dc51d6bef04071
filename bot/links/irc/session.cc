#include "bot/links/irc/session.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace jarvis::bot::links::irc {

namespace {

[[noreturn]] void fault(const char* what) {
  throw std::runtime_error(std::string("libircclient: ") + what + ": " + std::strerror(errno));
}

// Lines that the library's parser cannot take: it reads the source of a NICK and the text of a NOTICE unasked, takes
// two off the length of a CTCP of one byte, and opens files and ports for DCC.
bool is_fit(const Line& line) {
  if (line.command == "NOTICE" || line.command == "PING" || line.command == "PONG") return false;
  if (line.command == "PRIVMSG") {
    return line.params.size() == 2 && !line.source.empty() && !line.params[1].empty() && line.params[1] != "\x01" &&
           !line.params[1].starts_with(
               "\x01"
               "DCC") &&
           !line.params[1].starts_with(
               "\x01"
               "dcc");
  }
  const bool numeric = line.command.find_first_not_of("0123456789") == std::string::npos;
  return numeric || (!line.source.empty() && !line.params.empty() && line.source.size() < 250) ||
         line.command == "QUIT";
}

}  // namespace

Session& Session::self(irc_session_t* session) {
  return *static_cast<Session*>(irc_get_ctx(session));
}

template <Event::Kind kind>
void Session::event(irc_session_t* session, const char* command, const char* origin, const char** params,
                    unsigned count) {
  self(session).on(kind, 0, command, origin, params, count);
}

void Session::numeric(irc_session_t* session, unsigned number, const char* origin, const char** params,
                      unsigned count) {
  self(session).on(Event::Kind::Numeric, static_cast<int>(number), nullptr, origin, params, count);
}

Session::Session(const std::string& nick, const std::string& user, const std::string& realname) {
  irc_callbacks_t callbacks{};
  callbacks.event_numeric = numeric;
  callbacks.event_nick = event<Event::Kind::Nick>;
  callbacks.event_quit = event<Event::Kind::Quit>;
  callbacks.event_join = event<Event::Kind::Join>;
  callbacks.event_part = event<Event::Kind::Part>;
  callbacks.event_kick = event<Event::Kind::Kick>;
  callbacks.event_channel = event<Event::Kind::Message>;
  callbacks.event_privmsg = event<Event::Kind::Message>;
  callbacks.event_ctcp_req = event<Event::Kind::CtcpRequest>;
  callbacks.event_ctcp_action = event<Event::Kind::Other>;
  callbacks.event_invite = event<Event::Kind::Invite>;
  callbacks.event_unknown = event<Event::Kind::Other>;
  library_.reset(irc_create_session(&callbacks));
  if (!library_) fault("no memory");
  irc_set_ctx(library_.get(), this);

  // The library can only connect to an address. It may, to one where nobody takes it in; then its socket becomes an end
  // of a pair: out of everybody's reach, and what is written at one end is at the other at once, whole.
  const pipeline::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (!listener || ::bind(listener.get(), raw, size) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), raw, &size) != 0) {
    fault("cannot listen on loopback");
  }
  if (irc_connect(library_.get(), "127.0.0.1", ntohs(address.sin_port), nullptr, nick.c_str(), user.c_str(),
                  realname.c_str()) != 0) {
    throw std::runtime_error(std::string("libircclient: ") + irc_strerror(irc_errno(library_.get())));
  }
  fd_set in, out;
  FD_ZERO(&in);
  FD_ZERO(&out);
  irc_add_select_descriptors(library_.get(), &in, &out, &theirs_);
  int ends[2];
  if (theirs_ < 0 || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    fault("no socket");
  ours_.reset(ends[0]);
  const pipeline::UniqueFd other(ends[1]);
  if (::dup3(other.get(), theirs_, O_CLOEXEC) < 0) fault("no socket");
  while (turn()) {
  }
}

Session::~Session() = default;

// Lets the library read and write what it can now; false when that is nothing.
bool Session::turn() {
  fd_set in, out;
  FD_ZERO(&in);
  FD_ZERO(&out);
  int most = -1;
  if (irc_add_select_descriptors(library_.get(), &in, &out, &most) != 0 || most < 0) return false;
  timeval none{0, 0};
  if (::select(most + 1, &in, &out, nullptr, &none) <= 0) return false;
  return irc_process_select_descriptors(library_.get(), &in, &out) == 0;
}

// As many lines as the library has written.
std::vector<std::string> Session::sent(std::size_t expected) {
  std::vector<std::string> lines;
  while (lines.size() < expected) {
    char bytes[4096];
    const ssize_t n = ::recv(ours_.get(), bytes, sizeof bytes, 0);
    if (n <= 0) fault("does not write");
    unread_.append(bytes, static_cast<std::size_t>(n));
    for (std::size_t end = 0; (end = unread_.find("\r\n")) != std::string::npos; unread_.erase(0, end + 2)) {
      lines.push_back(unread_.substr(0, end));
    }
  }
  return lines;
}

// What a command has written: one line, or none when the library refuses it.
std::vector<std::string> Session::command(int fault_code) {
  if (fault_code != 0) return {};
  turn();
  return sent(1);
}

std::vector<Event> Session::feed(const Line& line) {
  events_.clear();
  if (!is_fit(line)) return {};
  const std::string text = without_tags(line).substr(0, kLongestTaken) + "\r\n";
  if (::send(ours_.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) return {};
  // All of it, because what is known of this line (its tags) must never be taken for the next one's.
  for (int left = 1; left > 0;) {
    if (!turn() || ::ioctl(theirs_, FIONREAD, &left) != 0) fault("does not read");
  }
  return std::move(events_);
}

void Session::on(Event::Kind kind, int number, const char* command, const char* origin, const char** params,
                 unsigned count) {
  Event event;
  event.kind = kind;
  event.number = number;
  if (command != nullptr) event.command = command;
  if (origin != nullptr) event.origin = origin;
  for (unsigned i = 0; i < count; ++i) event.params.emplace_back(params[i] == nullptr ? "" : params[i]);
  events_.push_back(std::move(event));
}

std::vector<std::string> Session::message(const std::string& place, const std::string& text) {
  return command(irc_cmd_msg(library_.get(), place.c_str(), text.c_str()));
}

std::vector<std::string> Session::ctcp_reply(const std::string& nick, const std::string& text) {
  return command(irc_cmd_ctcp_reply(library_.get(), nick.c_str(), text.c_str()));
}

std::vector<std::string> Session::join(const std::string& channel, const std::string& key) {
  return command(irc_cmd_join(library_.get(), channel.c_str(), key.empty() ? nullptr : key.c_str()));
}

std::vector<std::string> Session::nick(const std::string& nick) {
  return command(irc_cmd_nick(library_.get(), nick.c_str()));
}

std::vector<std::string> Session::whois(const std::string& nick) {
  return command(irc_cmd_whois(library_.get(), nick.c_str()));
}

std::vector<std::string> Session::quit(const std::string& why) {
  return command(irc_cmd_quit(library_.get(), why.c_str()));
}

}  // namespace jarvis::bot::links::irc
