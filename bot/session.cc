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
constexpr std::size_t kBacklog = 10'000;  // messages to somebody who does not read; then he hears nothing more

}  // namespace

std::string name_of_uid(unsigned uid) {
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  ::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found);
  const std::string number = "uid " + std::to_string(uid);
  return found != nullptr ? std::string(found->pw_name) + " (" + number + ")" : number;
}

Session::Session(asio::local::stream_protocol::socket socket)
    : socket_(std::move(socket)), buffer_(kLargestLine + kLargestInput) {
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

asio::awaitable<void> Session::begin() {
  send({{"hello", 1}});
  const std::string line = co_await read_line();
  std::vector<std::pair<std::string, std::size_t>> expected;
  try {
    const auto request = nlohmann::json::parse(line);
    const auto arguments = request.at("arguments").get<std::vector<std::string>>();
    for (const std::string& one : arguments) said_ += (said_.empty() ? "" : " ") + one;
    invocation_ = parse_invocation(arguments);
    directory_ = request.value("directory", "");
    terminal_ = request.value("terminal", false);
    for (const auto& one : request.value("inputs", nlohmann::json::array())) {
      if (one.contains("error")) input_errors_[one.at("name")] = one.at("error");
      if (!one.contains("error")) expected.emplace_back(one.at("name"), one.at("size"));
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error(Kind::Usage, std::string("a malformed request on the socket: ") + e.what());
  }
  for (const auto& [name, size] : expected) {
    if (size > kLargestInput) throw Error(Kind::Usage, name + ": larger than 8 MiB");
    if (buffer_.size() < size)
      co_await asio::async_read(socket_, buffer_, asio::transfer_exactly(size - buffer_.size()), asio::use_awaitable);
    std::string text(size, '\0');
    std::istream(&buffer_).read(text.data(), static_cast<std::streamsize>(size));
    inputs_[name] = std::move(text);
  }
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

void Session::give_up_asking() {
  boost::system::error_code ignored;
  if (asking_) socket_.shutdown(asio::local::stream_protocol::socket::shutdown_receive, ignored);
}

void Session::send(const nlohmann::json& message) {
  if (!socket_.is_open() || out_.size() > kBacklog) return;
  out_.push_back(message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  if (!writing_) write();
}

void Session::write() {
  writing_ = true;
  asio::async_write(socket_, asio::buffer(out_.front()), [self = shared_from_this()](auto error, std::size_t) {
    self->writing_ = false;
    if (error) {
      boost::system::error_code ignored;
      self->out_.clear();
      self->socket_.close(ignored);
      return;
    }
    self->out_.pop_front();
    if (!self->out_.empty()) self->write();
  });
}

asio::awaitable<void> Session::drained() {
  while (!out_.empty() && socket_.is_open()) {
    asio::steady_timer timer(socket_.get_executor(), std::chrono::milliseconds(1));
    co_await timer.async_wait(asio::use_awaitable);
  }
  boost::system::error_code ignored;
  socket_.shutdown(asio::local::stream_protocol::socket::shutdown_both, ignored);
}

}  // namespace jarvis::bot
