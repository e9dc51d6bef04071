#include "pipeline/fork_protocol.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "pipeline/error.h"

namespace jarvis::pipeline {

namespace {

void put(std::string& to, const void* data, std::size_t size) {
  to.append(static_cast<const char*>(data), size);
}

template <typename T>
void put_number(std::string& to, T value) {
  put(to, &value, sizeof value);
}

void put_text(std::string& to, std::string_view text) {
  put_number(to, static_cast<std::uint32_t>(text.size()));
  to += text;
}

class Take {
 public:
  explicit Take(std::string_view bytes) : rest_(bytes) {}
  template <typename T>
  bool number(T& value) {
    if (rest_.size() < sizeof value) return false;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return true;
  }
  bool flag(bool& value) {
    std::uint8_t byte = 0;
    const bool there = number(byte);
    value = byte != 0;
    return there;
  }
  bool text(std::string& value) {
    std::uint32_t size = 0;
    if (!number(size) || rest_.size() < size) return false;
    value.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return true;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string encode(const ForkMessage& m) {
  std::string made;
  put_number(made, m.what);
  put_number(made, m.id);
  switch (m.what) {
    case ForkMessage::What::Fork:
      put_text(made, m.task);
      put_text(made, m.executable);
      put_text(made, m.directory);
      put_number(made, static_cast<std::uint32_t>(m.environment.size()));
      for (const std::string& one : m.environment) put_text(made, one);
      break;
    case ForkMessage::What::Signal:
    case ForkMessage::What::NotForked:
      put_number(made, m.number);
      break;
    case ForkMessage::What::Started:
      put_number(made, m.pid);
      break;
    case ForkMessage::What::Exited:
      put_number(made, m.status);
      put_number(made, static_cast<std::uint8_t>(m.group_left ? 1 : 0));
      put_number(made, m.user_us);
      put_number(made, m.system_us);
      put_number(made, m.max_rss_kib);
      break;
    case ForkMessage::What::Release:
      break;
  }
  return made;
}

std::optional<ForkMessage> decode(std::string_view bytes) {
  Take take(bytes);
  ForkMessage m;
  bool ok = take.number(m.what) && take.number(m.id);
  if (!ok) return std::nullopt;
  switch (m.what) {
    case ForkMessage::What::Fork: {
      std::uint32_t count = 0;
      ok = take.text(m.task) && take.text(m.executable) && take.text(m.directory) && take.number(count) &&
           count <= bytes.size();
      if (ok) m.environment.resize(count);
      for (std::string& one : m.environment) ok = ok && take.text(one);
      break;
    }
    case ForkMessage::What::Signal:
    case ForkMessage::What::NotForked:
      ok = take.number(m.number);
      break;
    case ForkMessage::What::Started:
      ok = take.number(m.pid);
      break;
    case ForkMessage::What::Exited:
      ok = take.number(m.status) && take.flag(m.group_left) && take.number(m.user_us) && take.number(m.system_us) &&
           take.number(m.max_rss_kib);
      break;
    case ForkMessage::What::Release:
      break;
    default:
      ok = false;
  }
  return ok ? std::optional(std::move(m)) : std::nullopt;
}

bool send_packet(int socket, std::string_view bytes, const ThreeFds* descriptors) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ThreeFds))] = {};
  if (descriptors != nullptr) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(ThreeFds));
    std::memcpy(CMSG_DATA(rights), descriptors->data(), sizeof(ThreeFds));
  }
  for (;;) {
    if (::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return true;
    if (errno == EINTR) continue;
    // ETOOMANYREFS: more descriptors in flight than the receiver may hold; it takes them out soon.
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ETOOMANYREFS) return false;
    throw system_error("sending to the other end");
  }
}

std::optional<Packet> receive_packet(int socket) {
  // Where only the pages that were used cost anything: the forkserver's memory is copied with every child. One thread a
  // process.
  static char buffer[kForkMessageLimit];
  iovec part{buffer, sizeof buffer};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ThreeFds))] = {};
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
  Packet packet;
  if (size <= 0) return packet;  // the other end is gone
  packet.bytes.assign(buffer, static_cast<std::size_t>(size));
  for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(one) + i * sizeof(int), sizeof fd);
      packet.descriptors.emplace_back(fd);
    }
  }
  return packet;
}

}  // namespace jarvis::pipeline
