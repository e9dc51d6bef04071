// An HTTP server for one test: answers each request with the next of the given texts (the last one again and again),
// as they stand; an empty one closes the connection. On a free port of this machine, until it goes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace jarvis::tests {

inline std::string answer(const std::string& status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

class HttpScript {
 public:
  explicit HttpScript(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, plain, &size) != 0)
      throw std::runtime_error("no port for the test's server");
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpScript() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  HttpScript(const HttpScript&) = delete;
  HttpScript& operator=(const HttpScript&) = delete;

  const std::string& url() const { return url_; }
  std::vector<std::string> requests() const {  // whole, head and body
    const std::scoped_lock held(lock_);
    return requests_;
  }

 private:
  void serve() {
    for (std::size_t next = 0;; ++next) {
      const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      const std::string request = read_request(peer);
      {
        const std::scoped_lock held(lock_);
        requests_.push_back(request);
      }
      const std::string& text = answers_.at(std::min(next, answers_.size() - 1));
      if (!text.empty()) (void)::send(peer, text.data(), text.size(), MSG_NOSIGNAL);
      ::close(peer);
    }
  }

  static std::string read_request(int peer) {
    std::string text;
    char bytes[4096];
    for (;;) {
      const std::size_t end = text.find("\r\n\r\n");
      const std::size_t length = text.find("Content-Length: ");
      if (end != std::string::npos) {
        const std::size_t body = length < end ? std::stoul(text.substr(length + 16)) : 0;
        if (text.size() >= end + 4 + body) return text;
      }
      const ssize_t n = ::recv(peer, bytes, sizeof bytes, 0);
      if (n <= 0) return text;
      text.append(bytes, static_cast<std::size_t>(n));
    }
  }

  std::vector<std::string> answers_, requests_;
  mutable std::mutex lock_;
  std::string url_;
  int listener_ = -1;
  std::thread thread_;
};

}  // namespace jarvis::tests
