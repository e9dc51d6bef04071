#include "bot/session.h"

#include <pwd.h>
#include <sys/socket.h>

#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <istream>

#include "pipeline/error.h"

namespace jarvis::bot {

namespace asio = boost::asio;
using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::size_t kLargestLine = 1U << 20U;
constexpr std::size_t kLargestInput = (8U << 20U) + 1;
constexpr std::size_t kBacklog = 10'000;           // messages to somebody who does not read; then he hears nothing more
constexpr auto kToSay = std::chrono::seconds(30);  // a command, once connected
constexpr auto kToTake = std::chrono::hours(1);    // anything, of an answer that is complete: people read it in a pager
constexpr auto kToTakeAtOnce = std::chrono::seconds(1), kToTakeAll = std::chrono::seconds(5);  // while jarvis stops

}  // namespace

std::string name_of_uid(unsigned uid) {
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  ::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found);
  const std::string number = "uid " + std::to_string(uid);
  return found != nullptr ? std::string(found->pw_name) + " (" + number + ")" : number;
}

Asker asker_of_uid(const Settings& settings, unsigned uid, unsigned owner) {
  Asker made;
  made.owner = uid == 0 || uid == owner;
  const Person* person = person_of_uid(settings, uid);
  if (person != nullptr) made.person = person->name;
  made.shown = name_of_uid(uid);
  made.name = person != nullptr ? person->name : "uid " + std::to_string(uid);
  made.place = "direct";
  if (person == nullptr) made.missing = "uid " + std::to_string(uid) + " is nobody's in the configuration";
  return made;
}

Session::Session(asio::local::stream_protocol::socket socket)
    : socket_(std::move(socket)),
      buffer_(kLargestLine + kLargestInput),
      limit_(socket_.get_executor()),
      sent_(socket_.get_executor(), asio::steady_timer::time_point::max()) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    throw pipeline::system_error("who is at the socket");
  uid_ = peer.uid;
}

asio::awaitable<std::string> Session::read_line() {
  co_await asio::async_read_until(socket_, buffer_, '\n', asio::use_awaitable);
  std::istream in(&buffer_);
  std::string line;
  std::getline(in, line);
  co_return line;
}

void Session::leave() {
  boost::system::error_code ignored;
  out_.clear();
  socket_.close(ignored);
  sent_.cancel();
}

void Session::limit(std::chrono::milliseconds time) {
  limit_.expires_after(time);
  limit_.async_wait([weak = weak_from_this()](auto error) {
    const auto self = weak.lock();
    if (!error && self && !self->commanded_) self->leave();
  });
}

void Session::hurry() {
  hurried_ = true;
  sent_.cancel();  // whoever is waited for now has less time
  boost::system::error_code ignored;
  if (asking_) socket_.shutdown(asio::local::stream_protocol::socket::shutdown_receive, ignored);
  if (begun_ && !commanded_) leave();
}

asio::awaitable<void> Session::begin() {
  begun_ = true;
  send({{"hello", 1}});
  limit(hurried_ ? kToTakeAll : kToSay);
  const std::string line = co_await read_line();
  try {
    const auto request = nlohmann::json::parse(line);
    const auto arguments = request.at("arguments").get<std::vector<std::string>>();
    for (const std::string& one : arguments) said_ += (said_.empty() ? "" : " ") + one;
    invocation_ = parse_invocation(arguments);
    directory_ = request.value("directory", "");
    terminal_ = request.value("terminal", false);
    record_ = request.value("record", nlohmann::json());
    for (const auto& one : request.value("inputs", nlohmann::json::array())) {
      if (one.contains("error")) input_errors_[one.at("name")] = one.at("error");
      if (!one.contains("error")) expected_.emplace_back(one.at("name"), one.at("size"));
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error(Kind::Usage, std::string("a malformed request on the socket: ") + e.what());
  }
  commanded_ = expected_.empty();
}

asio::awaitable<void> Session::read_inputs() {
  for (const auto& [name, size] : expected_) {
    limit(kToSay);
    if (size > kLargestInput) throw Error(Kind::Usage, name + ": larger than 8 MiB");
    if (buffer_.size() < size)
      co_await asio::async_read(socket_, buffer_, asio::transfer_exactly(size - buffer_.size()), asio::use_awaitable);
    std::string text(size, '\0');
    std::istream(&buffer_).read(text.data(), static_cast<std::streamsize>(size));
    inputs_[name] = std::move(text);
  }
  commanded_ = true;
  limit_.cancel();
}

const std::string* Session::input_error(const std::string& name) const {
  const auto found = input_errors_.find(name);
  return found != input_errors_.end() ? &found->second : nullptr;
}

const std::string* Session::input(const std::string& name) const {
  const auto found = inputs_.find(name);
  return found != inputs_.end() ? &found->second : nullptr;
}

asio::awaitable<std::optional<std::string>> Session::ask(std::string text) {
  if (!terminal_) co_return std::nullopt;
  send({{"ask", text}});
  asking_ = true;
  try {
    const std::string line = co_await read_line();
    asking_ = false;
    co_return nlohmann::json::parse(line).at("answer").get<std::string>();
  } catch (const std::exception&) {  // went away, or answered nonsense
    asking_ = false;
    co_return std::nullopt;
  }
}

std::size_t Session::input_bytes() const {
  std::size_t sum = 0;
  for (const auto& [name, text] : inputs_) sum += text.size();
  return sum;
}

void Session::send(const nlohmann::json& message) {
  if (!socket_.is_open() || out_.size() > kBacklog) return;
  out_.push_back(message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  if (!writing_) write();
}

void Session::write() {
  writing_ = true;
  const auto rest = asio::buffer(out_.front()) + taken_;
  socket_.async_write_some(rest, [self = shared_from_this()](auto error, std::size_t bytes) {
    self->writing_ = false;
    if (error) return self->leave();
    if (self->out_.empty()) return;  // left meanwhile
    self->taken_ += bytes;
    if (self->taken_ == self->out_.front().size()) {
      self->out_.pop_front();
      self->taken_ = 0;
    }
    self->sent_.cancel();
    if (!self->out_.empty()) self->write();
  });
}

asio::awaitable<bool> Session::sent_down_to(std::size_t messages) {
  const auto begun = std::chrono::steady_clock::now();
  while (out_.size() > messages && socket_.is_open()) {
    const bool hurried = hurried_;
    if (hurried && std::chrono::steady_clock::now() - begun > kToTakeAll) leave();
    sent_.expires_after(hurried ? kToTakeAtOnce : kToTake);
    boost::system::error_code woken;
    co_await sent_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (!woken && hurried == hurried_) leave();  // it expired: nothing was taken in all that time
  }
  co_return socket_.is_open();
}

asio::awaitable<void> Session::drained() {
  const bool there = co_await sent_down_to(0);
  boost::system::error_code ignored;
  if (there) socket_.shutdown(asio::local::stream_protocol::socket::shutdown_both, ignored);
}

}  // namespace jarvis::bot
