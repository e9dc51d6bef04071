#include "bot/links/irc/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace jarvis::bot::links::irc {

namespace {

constexpr std::size_t kMostUnsent = 1U << 20U;  // beyond it the server has stopped reading

}  // namespace

Connection::Connection(Place place, Time now)
    : place_(std::move(place)), due_(after(now, place_.timeout)), lookup_(place_.host, place_.port) {}

void Connection::watch(std::vector<pollfd>& polled) const {
  short events = 0;
  switch (state_) {
    case State::Resolving:
      polled.push_back({lookup_.fd(), POLLIN, 0});
      return;
    case State::Closed:
      return;
    case State::Connecting:
      events = POLLOUT;
      break;
    case State::Securing:
      events = wants_write_ ? POLLOUT : POLLIN;
      break;
    case State::Open:
      events = POLLIN;
      if (wants_write_ || !unsent_.empty()) events |= POLLOUT;
  }
  polled.push_back({socket_.get(), events, 0});
}

void Connection::close(std::string why) {
  state_ = State::Closed;
  why_ = std::move(why);
  due_ = Time::max();
  tls_.reset();
  socket_.reset();
}

void Connection::send(std::string_view line) {
  unsent_.append(line).append("\r\n");
}

void Connection::step(Time now, std::string& heard) {
  try {
    if (state_ != State::Open && state_ != State::Closed) advance(now);
    if (state_ != State::Open) return;
    read(heard);
    if (state_ == State::Open) write();
    if (unsent_.size() > kMostUnsent) close("the server does not read what is sent to it");
  } catch (const std::exception& error) {
    close(error.what());
  }
}

void Connection::advance(Time now) {
  if (state_ == State::Resolving) {
    if (lookup_.done()) {
      addresses_ = lookup_.addresses();
      next_address(now);
    } else if (now >= due_) {
      close(place_.host + ": no answer from the name servers within " + text_of(place_.timeout));
    }
    return;
  }
  try {
    if (state_ == State::Connecting) {
      pollfd writable{socket_.get(), POLLOUT, 0};
      if (::poll(&writable, 1, 0) > 0) connected(now);
    }
    if (state_ == State::Securing) secure();
    if (state_ != State::Open && now >= due_) {
      throw std::runtime_error("no answer from " + addresses_[address_ - 1].text() + " within " +
                               text_of(place_.timeout));
    }
  } catch (const std::exception& error) {
    // The last address's fault is the one that is told; the earlier ones are mostly of the same kind.
    why_ = error.what();
    next_address(now);
  }
}

void Connection::next_address(Time now) {
  tls_.reset();
  for (; address_ < addresses_.size(); socket_.reset()) {
    const Address& address = addresses_[address_++];
    socket_.reset(::socket(address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_) {
      why_ = std::string("socket: ") + std::strerror(errno);
      continue;
    }
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    due_ = after(now, place_.timeout);
    state_ = State::Connecting;
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size) == 0 ||
        errno == EINPROGRESS) {
      return;
    }
    why_ = address.text() + " port " + std::to_string(place_.port) + ": " + std::strerror(errno);
  }
  close(why_);
}

void Connection::connected(Time now) {
  int fault = 0;
  socklen_t size = sizeof fault;
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &fault, &size);
  if (fault != 0) {
    throw std::runtime_error(addresses_[address_ - 1].text() + " port " + std::to_string(place_.port) + ": " +
                             std::strerror(fault));
  }
  if (!place_.tls) {
    state_ = State::Open;
    due_ = Time::max();
    return;
  }
  tls_ = std::make_unique<Tls>(socket_.get(), *place_.tls);
  state_ = State::Securing;
  due_ = after(now, place_.timeout);
}

void Connection::secure() {
  const Tls::Progress progress = tls_->handshake();
  wants_write_ = progress == Tls::Progress::WantsWrite;
  if (progress == Tls::Progress::Ended) throw std::runtime_error("the server closed the connection during TLS");
  if (progress != Tls::Progress::Done) return;
  state_ = State::Open;
  due_ = Time::max();
}

void Connection::read(std::string& heard) {
  char bytes[16384];
  due_ = Time::max();
  // Bounded, so that a server that never stops talking does not keep the link from everything else.
  for (int i = 0; i < 16; ++i) {
    std::size_t got = 0;
    if (tls_) {
      const Tls::Progress progress = tls_->read(bytes, sizeof bytes, got);
      if (progress == Tls::Progress::Ended) return close("the server closed the connection");
      wants_write_ = progress == Tls::Progress::WantsWrite;
      if (progress != Tls::Progress::Done) return;
    } else {
      const ssize_t n = ::recv(socket_.get(), bytes, sizeof bytes, 0);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (n < 0) return close(std::strerror(errno));
      if (n == 0) return close("the server closed the connection");
      got = static_cast<std::size_t>(n);
    }
    heard.append(bytes, got);
    unacknowledged_ = true;
    if (got < sizeof bytes && !(tls_ && tls_->holds_more())) return;  // poll(2) tells of what comes after it
  }
  due_ = Time::min();  // more may lie in TLS's own buffer, where poll() sees nothing
}

void Connection::acknowledge() {
  if (!std::exchange(unacknowledged_, false) || !socket_) return;
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void Connection::write() {
  while (!unsent_.empty()) {
    std::size_t sent = 0;
    if (tls_) {
      const Tls::Progress progress = tls_->write(unsent_.data(), unsent_.size(), sent);
      if (progress == Tls::Progress::Ended) return close("the server closed the connection");
      if (progress != Tls::Progress::Done) return;
    } else {
      const ssize_t n = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (n < 0) return close(std::strerror(errno));
      sent = static_cast<std::size_t>(n);
    }
    unsent_.erase(0, sent);
  }
}

}  // namespace jarvis::bot::links::irc
