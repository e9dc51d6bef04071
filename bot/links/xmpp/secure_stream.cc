#include "bot/links/xmpp/secure_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace jarvis::bot::links::xmpp {

namespace {

constexpr milliseconds kLookup{20000}, kConnect{10000}, kEncrypt{20000};
constexpr std::size_t kMostUnread = 1U << 20U;

}  // namespace

SecureStream::SecureStream(const Settings& settings, Time now)
    : settings_(settings),
      lookup_(std::make_unique<Lookup>(settings.domain, settings.host, settings.port, settings.dns)),
      deadline_(now + kLookup) {}

SecureStream::~SecureStream() {
  tls_.reset();
  if (fd_ >= 0) ::close(fd_);
}

pollfd SecureStream::wanted() const {
  switch (at_) {
    case At::Lookup:
      return {lookup_->fd(), POLLIN, 0};
    case At::Connect:
      return {fd_, POLLOUT, 0};
    case At::Clear:
      return {fd_, static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    case At::Handshake:
      return {fd_, static_cast<short>(want_ == Tls::Want::Write ? POLLOUT : POLLIN), 0};
    case At::Open:
      return {fd_, static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    case At::Ended:
      break;
  }
  return {-1, 0, 0};
}

Time SecureStream::deadline() const {
  return at_ == At::Open || at_ == At::Ended ? Time::max() : deadline_;
}

void SecureStream::end(const std::string& why, bool needs_a_person) {
  if (at_ == At::Ended) return;
  at_ = At::Ended;
  why_ = why;
  needs_a_person_ = needs_a_person;
}

void SecureStream::next_or_end(const std::string& why, Time now, bool needs_a_person) {
  // The first address that answered at all tells most; what the last one said would hide it.
  if (why_.empty() || needs_a_person) {
    why_ = why;
    needs_a_person_ = needs_a_person;
  }
  tls_.reset();
  clear_.reset();
  out_.clear();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  connect_next(now);
}

void SecureStream::connect_next(Time now) {
  while (!left_.empty()) {
    const Address address = left_.back();
    left_.pop_back();
    peer_ = address.text;
    fd_ = ::socket(address.to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ >= 0) {
      const int on = 1;
      ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address.to), address.length) == 0 || errno == EINPROGRESS) {
        at_ = At::Connect;
        deadline_ = now + kConnect;
        return;
      }
    }
    if (why_.empty()) why_ = peer_ + ": " + std::strerror(errno);
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  end(std::string(why_), needs_a_person_);
}

void SecureStream::connected(Time now) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return next_or_end(peer_ + ": " + std::strerror(error), now);
  at_ = At::Clear;
  deadline_ = now + kEncrypt;
  clear_.emplace(settings_.domain);
  clear_->open();
  out_ = clear_->take();
}

void SecureStream::hear_clear() {
  if (!out_.empty()) {
    const ssize_t n = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (n > 0) out_.erase(0, static_cast<std::size_t>(n));
  }
  char bytes[4096];
  const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    const std::string how = n == 0 ? "it closed the connection" : std::strerror(errno);
    throw Tls::Failure{"the server ended before encryption began: " + how, false};
  }
  switch (clear_->hear({bytes, static_cast<std::size_t>(n)})) {
    case ClearPart::Then::More:
      out_ += clear_->take();
      return;
    case ClearPart::Then::Failed:
      throw Tls::Failure{clear_->why(), false};
    case ClearPart::Then::BeginTls:
      clear_.reset();
      out_.clear();
      tls_ = std::make_unique<Tls>(fd_, settings_.domain, settings_.ca_file);
      at_ = At::Handshake;
      want_ = Tls::Want::Write;
      return;
  }
}

void SecureStream::carry(std::string& into) {
  std::string heard;
  const bool goes_on = tls_->read(heard);
  if (const char* why = gate_.pass(heard)) return end(why);
  into += heard;
  tls_->write(out_);
  if (!goes_on || gate_.is_over()) return end("the server closed the connection");
  if (finishing_ && out_.empty()) {
    tls_->say_bye();
    end("closed");
  }
}

void SecureStream::go_on(Time now, std::string& into) {
  const bool late = now >= deadline();
  try {
    switch (at_) {
      case At::Lookup: {
        pollfd ready = wanted();
        if (::poll(&ready, 1, 0) == 1) {
          Found found = lookup_->take();
          lookup_.reset();
          left_ = std::move(found.addresses);
          std::reverse(left_.begin(), left_.end());
          why_ = left_.empty() ? found.why : "";
          connect_next(now);
        } else if (late) {
          end("looking up " + (settings_.host.empty() ? settings_.domain : settings_.host) + " takes too long");
        }
        return;
      }
      case At::Connect: {
        pollfd ready = wanted();
        if (::poll(&ready, 1, 0) == 1) return connected(now);
        if (late) next_or_end(peer_ + ": no answer", now);
        return;
      }
      case At::Clear:
        if (late) throw Tls::Failure{"no answer", false};
        return hear_clear();
      case At::Handshake:
        if (late) throw Tls::Failure{"the TLS handshake takes too long", false};
        want_ = tls_->shake_hands();
        if (want_ == Tls::Want::Nothing) at_ = At::Open;
        return;
      case At::Open:
        return carry(into);
      case At::Ended:
        return;
    }
  } catch (const Tls::Failure& failure) {
    if (at_ == At::Open) return end(failure.why);
    next_or_end(peer_ + ": " + failure.why, now, failure.certificate);
  }
}

void SecureStream::send(const std::string& bytes) {
  if (at_ != At::Open) return;
  out_ += bytes;
  if (out_.size() > kMostUnread) return end("the server does not read what we send");
  // At once when it can be: an answer should not wait for another round of the loop. A failure shows at the next read.
  try {
    tls_->write(out_);
  } catch (const Tls::Failure&) {
    out_.clear();
  }
}

void SecureStream::finish() {
  finishing_ = true;
}

}  // namespace jarvis::bot::links::xmpp
