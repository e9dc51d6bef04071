#include "bot/links/irc/lookup.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cstring>
#include <stdexcept>
#include <thread>

namespace jarvis::bot::links::irc {

// The thread writes it before it makes `ready` readable, and nobody reads it earlier.
struct Lookup::Shared {
  std::string host, port, fault;
  std::vector<Address> addresses;
  pipeline::UniqueFd ready;

  void look_up() {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int fault_code = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found);
    if (fault_code != 0) fault = host + ": " + ::gai_strerror(fault_code);
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
      if (entry->ai_addrlen > sizeof(sockaddr_storage)) continue;
      Address address;
      address.family = entry->ai_family;
      address.size = entry->ai_addrlen;
      std::memcpy(&address.bytes, entry->ai_addr, entry->ai_addrlen);
      addresses.push_back(address);
    }
    if (found != nullptr) ::freeaddrinfo(found);
    if (addresses.empty() && fault.empty()) fault = host + ": has no address";
    const std::uint64_t one = 1;
    while (::write(ready.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
};

std::string Address::text() const {
  char host[NI_MAXHOST];
  const int fault =
      ::getnameinfo(reinterpret_cast<const sockaddr*>(&bytes), size, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  return fault == 0 ? host : "?";
}

Lookup::Lookup(const std::string& host, int port) : shared_(std::make_shared<Shared>()) {
  shared_->host = host;
  shared_->port = std::to_string(port);
  shared_->ready.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!shared_->ready) throw std::runtime_error(std::string("eventfd: ") + std::strerror(errno));
  std::thread([shared = shared_] { shared->look_up(); }).detach();
}

int Lookup::fd() const {
  return shared_->ready.get();
}

bool Lookup::done() const {
  pollfd ready{fd(), POLLIN, 0};
  return ::poll(&ready, 1, 0) > 0;
}

std::vector<Address> Lookup::addresses() const {
  if (!shared_->fault.empty()) throw std::runtime_error(shared_->fault);
  return shared_->addresses;
}

}  // namespace jarvis::bot::links::irc
