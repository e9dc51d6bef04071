#include "bot/links/xmpp/lookup.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

#include "bot/links/xmpp/settings.h"
#include "bot/links/xmpp/srv.h"

namespace jarvis::bot::links::xmpp {

struct Lookup::Shared {
  Shared() : fd(::eventfd(0, EFD_CLOEXEC)) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Shared() { ::close(fd); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  int fd;
  std::mutex mutex;
  Found found;
};

namespace {

constexpr std::size_t kMostServers = 8, kMostAddresses = 16;

std::string shown(const sockaddr* to, socklen_t length) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (::getnameinfo(to, length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) return "?";
  const bool six = to->sa_family == AF_INET6;
  return (six ? "[" : "") + std::string(host) + (six ? "]:" : ":") + port;
}

void add_host(Found& found, const std::string& host, int port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list);
  if (status != 0) {
    found.why = host + ": " + (status == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(status));
    return;
  }
  for (const addrinfo* one = list; one != nullptr && found.addresses.size() < kMostAddresses; one = one->ai_next) {
    Address address;
    std::memcpy(&address.to, one->ai_addr, one->ai_addrlen);
    address.length = one->ai_addrlen;
    address.text = shown(one->ai_addr, one->ai_addrlen);
    found.addresses.push_back(address);
  }
  ::freeaddrinfo(list);
}

// The records of the domain; nullopt when there are none to be had.
std::optional<std::vector<Srv>> ask_srv(const std::string& domain, const std::string& dns) {
  struct __res_state state {};
  if (::res_ninit(&state) != 0) return std::nullopt;
  if (!dns.empty()) {
    const auto [host, port] = host_and_port(dns, 53);
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, host.c_str(), &server.sin_addr);
    state.nsaddr_list[0] = server;
    state.nscount = 1;
  }
  unsigned char answer[16384];
  const std::string name = "_xmpp-client._tcp." + domain;
  const int length = ::res_nquery(&state, name.c_str(), ns_c_in, ns_t_srv, answer, sizeof answer);
  ::res_nclose(&state);
  if (length < 0 || length > static_cast<int>(sizeof answer)) return std::nullopt;
  return srv_records({reinterpret_cast<const char*>(answer), static_cast<std::size_t>(length)});
}

Found find(const std::string& domain, const std::string& host, int port, const std::string& dns) {
  Found found;
  if (!host.empty()) {
    add_host(found, host, port);
    return found;
  }
  std::minstd_rand random{std::random_device{}()};
  const auto records = ask_srv(domain, dns);
  if (!records || records->empty()) {
    add_host(found, domain, port);
    return found;
  }
  const std::vector<Srv> ordered = in_order(*records, random);
  if (ordered.size() == 1 && ordered.front().target.empty()) {
    found.why = domain + ": its SRV record says that it has no XMPP service";
    return found;
  }
  for (std::size_t i = 0; i < ordered.size() && i < kMostServers; ++i) {
    if (!ordered[i].target.empty()) add_host(found, ordered[i].target, ordered[i].port);
  }
  return found;
}

}  // namespace

Lookup::Lookup(const std::string& domain, const std::string& host, int port, const std::string& dns)
    : shared_(std::make_shared<Shared>()) {
  std::thread([shared = shared_, domain, host, port, dns] {
    Found found;
    try {
      found = find(domain, host, port, dns);
    } catch (const std::exception& error) {
      found.why = error.what();
    }
    {
      const std::lock_guard lock(shared->mutex);
      shared->found = std::move(found);
    }
    const std::uint64_t one = 1;
    if (::write(shared->fd, &one, sizeof one) < 0) return;
  }).detach();
}

Lookup::~Lookup() = default;

int Lookup::fd() const {
  return shared_->fd;
}

Found Lookup::take() {
  const std::lock_guard lock(shared_->mutex);
  return std::move(shared_->found);
}

}  // namespace jarvis::bot::links::xmpp
