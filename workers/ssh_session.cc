#include "workers/ssh_session.h"

#include <libssh2.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "pipeline/error.h"
#include "workers/tcp_connect.h"

namespace jarvis::workers {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::size_t kMostOutput = 1U << 20U;
constexpr std::size_t kMostCommand = 30'000;  // one packet: libssh2 sends a request whole
constexpr std::size_t kMostLine = 4096;

// libssh2 offers SHA-1, MD5, arcfour and DSA unless told; only this is offered here. RSA host keys are out as well:
// libssh2 1.10 knows them with SHA-1 only.
constexpr const char* kKeyExchange =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
    "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group14-sha256";
constexpr const char* kCiphers = "aes256-ctr,aes192-ctr,aes128-ctr";
constexpr const char* kMacs = "hmac-sha2-256,hmac-sha2-512";
constexpr std::array kHostKeyTypes = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                      "ecdsa-sha2-nistp521"};

// The expected types first: a host that has several keys then shows the one that can be compared.
std::string host_key_order(const std::vector<PublicKey>& expected) {
  std::string first;
  std::string rest;
  for (const std::string type : kHostKeyTypes) {
    bool wanted = false;
    for (const PublicKey& key : expected) wanted = wanted || key.type == type;
    (wanted ? first : rest) += type + ',';
  }
  std::string order = first + rest;
  order.pop_back();
  return order;
}

bool cut_off(int code) {
  switch (code) {
    case LIBSSH2_ERROR_SOCKET_NONE:  // also: ended in the middle of the key exchange
    case LIBSSH2_ERROR_BANNER_RECV:
    case LIBSSH2_ERROR_BANNER_SEND:
    case LIBSSH2_ERROR_SOCKET_SEND:
    case LIBSSH2_ERROR_SOCKET_RECV:
    case LIBSSH2_ERROR_SOCKET_DISCONNECT:
    case LIBSSH2_ERROR_SOCKET_TIMEOUT:
    case LIBSSH2_ERROR_TIMEOUT:
    case LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
    case LIBSSH2_ERROR_PROTO:
      return true;
    default:
      return false;
  }
}

std::string expected_words(const std::vector<PublicKey>& keys) {
  std::string words;
  for (const PublicKey& key : keys) words += (words.empty() ? "" : " or ") + key.type + ' ' + key.fingerprint();
  return words;
}

// Cuts a stream into lines for a log, within bounds.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& take) : take_(take) {}

  void add(std::string_view text) {
    for (const char c : text) {
      if (c == '\n') {
        flush();
      } else if (line_.size() < kMostLine) {
        line_ += c;
      }
    }
  }
  void end() {
    if (!line_.empty()) flush();
  }

 private:
  void flush() {
    const std::string line = std::exchange(line_, {});
    if (taken_ > kMostOutput) return;
    taken_ += line.size() + 1;
    take_(taken_ > kMostOutput ? "(the rest is left out)" : std::string_view(line));
  }

  const std::function<void(std::string_view)>& take_;
  std::string line_;
  std::size_t taken_ = 0;
};

class Libssh2Session : public SshSession {
 public:
  Libssh2Session(const SshTarget& target, const std::string& address)
      : target_(target),
        place_(place_of(address, target.port)),
        socket_(connect_tcp(address, target.port, target.connect_limit)) {
    if (libssh2_init(0) != 0) throw Error(Kind::Bug, "libssh2 does not start");
    session_ = libssh2_session_init();
    if (session_ == nullptr) throw Error(Kind::Bug, "libssh2 makes no session");
    try {
      shake_hands();
      check_host_key();
    } catch (...) {
      close();
      throw;
    }
  }
  ~Libssh2Session() override { close(); }
  Libssh2Session(const Libssh2Session&) = delete;
  Libssh2Session& operator=(const Libssh2Session&) = delete;

  const std::string& place() const override { return place_; }
  const PublicKey& host_key() const override { return host_key_; }

  bool log_in(const std::string& user, const std::string& private_text, const PublicKey& key) override {
    const Deadline deadline = from_now(target_.login_limit);
    const std::string public_line = key.line();
    const int code = until_done(deadline, [&] {
      return libssh2_userauth_publickey_frommemory(session_, user.data(), user.size(), public_line.data(),
                                                   public_line.size(), private_text.data(), private_text.size(),
                                                   nullptr);
    });
    if (code == LIBSSH2_ERROR_AUTHENTICATION_FAILED || code == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED) return false;
    if (code == LIBSSH2_ERROR_FILE || code == LIBSSH2_ERROR_METHOD_NONE) {
      throw Error(Kind::Usage, "the login key " + key.fingerprint() + " cannot be used: " + last_message());
    }
    check(code, "the login");
    return true;
  }

  RemoteResult run(const std::string& command, const std::string& input,
                   const std::function<void(std::string_view)>& error_line) override;

 private:
  static Deadline from_now(std::chrono::milliseconds limit) { return std::chrono::steady_clock::now() + limit; }

  void close() {
    // No farewell packet: it could block, and the host reads the end of the connection just as well. With the socket
    // shut, libssh2 frees the channels of a command that was given up without waiting for the host's consent.
    ::shutdown(socket_.get(), SHUT_RDWR);
    if (session_ != nullptr) libssh2_session_free(session_);
    session_ = nullptr;
    libssh2_exit();
  }

  std::string last_message() const {
    char* text = nullptr;
    int size = 0;
    libssh2_session_last_error(session_, &text, &size, 0);
    return {text, static_cast<std::size_t>(size)};
  }

  void check(int code, const std::string& what) const {
    if (code >= 0) return;
    if (code == LIBSSH2_ERROR_TIMEOUT) throw Error(Kind::Transient, place_ + ": " + what + " took too long");
    if (cut_off(code)) throw Error(Kind::Transient, place_ + ": " + what + " was cut off: " + last_message());
    throw Error(Kind::Permanent,
                place_ + ": " + what + " failed: " + last_message() + " (libssh2 " + std::to_string(code) + ")");
  }

  bool wait(Deadline deadline) const {
    const int directions = libssh2_session_block_directions(session_);
    short events = 0;
    if ((directions & LIBSSH2_SESSION_BLOCK_INBOUND) != 0) events |= POLLIN;
    if ((directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0) events |= POLLOUT;
    return wait_for(socket_.get(), events, deadline);
  }

  template <typename Call>
  int until_done(Deadline deadline, Call call) {
    for (;;) {
      const int code = call();
      if (code != LIBSSH2_ERROR_EAGAIN) return code;
      if (!wait(deadline)) return LIBSSH2_ERROR_TIMEOUT;
    }
  }

  // A call that is in the middle of sending a packet must be the next one made, or libssh2 loses its place in the
  // stream. What comes back as EAGAIN waits for the other side only.
  template <typename Call>
  ssize_t until_sent(Deadline deadline, Call call) {
    for (;;) {
      const ssize_t code = call();
      const int directions = libssh2_session_block_directions(session_);
      if (code != LIBSSH2_ERROR_EAGAIN || (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) == 0) return code;
      if (!wait_for(socket_.get(), POLLOUT, deadline)) return LIBSSH2_ERROR_TIMEOUT;
    }
  }

  void shake_hands() {
    libssh2_session_set_blocking(session_, 0);
    const std::string host_keys = host_key_order(target_.host_keys);
    const std::pair<int, const char*> preferences[] = {
        {LIBSSH2_METHOD_KEX, kKeyExchange},  {LIBSSH2_METHOD_HOSTKEY, host_keys.c_str()},
        {LIBSSH2_METHOD_CRYPT_CS, kCiphers}, {LIBSSH2_METHOD_CRYPT_SC, kCiphers},
        {LIBSSH2_METHOD_MAC_CS, kMacs},      {LIBSSH2_METHOD_MAC_SC, kMacs},
        {LIBSSH2_METHOD_COMP_CS, "none"},    {LIBSSH2_METHOD_COMP_SC, "none"}};
    for (const auto& [method, names] : preferences)
      check(libssh2_session_method_pref(session_, method, names), "choosing algorithms");
    const int code = until_done(from_now(target_.handshake_limit),
                                [&] { return libssh2_session_handshake(session_, socket_.get()); });
    if (code == LIBSSH2_ERROR_TIMEOUT)
      throw Error(Kind::Transient, place_ + " accepts the connection but does not speak SSH yet");
    if (code == LIBSSH2_ERROR_KEX_FAILURE) {
      throw Error(Kind::Permanent, place_ + " and jarvis have no algorithm in common; jarvis takes host keys of type " +
                                       host_keys + ", key exchange " + kKeyExchange + ", ciphers " + kCiphers +
                                       ", MACs " + kMacs);
    }
    check(code, "the SSH handshake");
  }

  void check_host_key() {
    std::size_t size = 0;
    int type = 0;
    const char* blob = libssh2_session_hostkey(session_, &size, &type);
    if (blob == nullptr) throw Error(Kind::Bug, place_ + ": libssh2 has no host key after the handshake");
    host_key_ = public_key_from_blob({blob, size});
    for (const PublicKey& key : target_.host_keys) {
      if (key.blob == host_key_.blob) return;
    }
    throw Error(Kind::Permanent,
                place_ + " shows the host key " + host_key_.type + ' ' + host_key_.fingerprint() + ", expected " +
                    expected_words(target_.host_keys) +
                    ": this is not the machine that was made, or somebody stands in between; nothing was sent to it");
  }

  bool read_into(LIBSSH2_CHANNEL* channel, int stream, Deadline deadline,
                 const std::function<void(std::string_view)>& take);
  void send(LIBSSH2_CHANNEL* channel, std::string_view& rest, bool& ended, Deadline deadline);

  SshTarget target_;
  std::string place_;
  Socket socket_;
  LIBSSH2_SESSION* session_ = nullptr;
  PublicKey host_key_;
};

// What is there of one stream. True when something was.
bool Libssh2Session::read_into(LIBSSH2_CHANNEL* channel, int stream, Deadline deadline,
                               const std::function<void(std::string_view)>& take) {
  std::array<char, 32768> buffer{};
  bool some = false;
  for (;;) {
    const ssize_t n =
        until_sent(deadline, [&] { return libssh2_channel_read_ex(channel, stream, buffer.data(), buffer.size()); });
    if (n == 0 || n == LIBSSH2_ERROR_EAGAIN) return some;
    check(static_cast<int>(n), "reading from a command");
    take({buffer.data(), static_cast<std::size_t>(n)});
    some = true;
  }
}

// As much input as the other side takes now, then its end.
void Libssh2Session::send(LIBSSH2_CHANNEL* channel, std::string_view& rest, bool& ended, Deadline deadline) {
  while (!rest.empty()) {
    const ssize_t n = until_sent(deadline, [&] { return libssh2_channel_write(channel, rest.data(), rest.size()); });
    if (n == LIBSSH2_ERROR_EAGAIN) return;
    if (n == LIBSSH2_ERROR_CHANNEL_CLOSED || n == LIBSSH2_ERROR_CHANNEL_EOF_SENT) {
      // The command ended without reading it all, which is its own affair.
      rest = {};
      ended = true;
      return;
    }
    check(static_cast<int>(n), "writing to a command");
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  const int code = until_done(deadline, [&] { return libssh2_channel_send_eof(channel); });
  if (code != LIBSSH2_ERROR_CHANNEL_CLOSED) check(code, "ending the input of a command");
  ended = true;
}

RemoteResult Libssh2Session::run(const std::string& command, const std::string& input,
                                 const std::function<void(std::string_view)>& error_line) {
  if (command.size() > kMostCommand)
    throw Error(Kind::Bug, "a remote command of " + std::to_string(command.size()) + " bytes");
  const Deadline deadline = from_now(target_.command_limit);
  LIBSSH2_CHANNEL* opened = nullptr;
  check(until_done(deadline,
                   [&] {
                     opened = libssh2_channel_open_session(session_);
                     return opened != nullptr ? 0 : libssh2_session_last_errno(session_);
                   }),
        "opening a channel");
  const std::unique_ptr<LIBSSH2_CHANNEL, int (*)(LIBSSH2_CHANNEL*)> owner(opened, libssh2_channel_free);
  LIBSSH2_CHANNEL* channel = opened;
  check(until_done(deadline,
                   [&] {
                     return libssh2_channel_process_startup(channel, "exec", 4, command.data(),
                                                            static_cast<unsigned>(command.size()));
                   }),
        "starting a command");

  RemoteResult result;
  Lines lines(error_line);
  std::string_view rest = input;
  bool input_ended = false;
  for (;;) {
    if (!input_ended) send(channel, rest, input_ended, deadline);
    bool moved = read_into(channel, 0, deadline, [&](std::string_view text) {
      result.output += text;
      if (result.output.size() > kMostOutput)
        throw Error(Kind::Permanent, place_ + ": a command printed more than 1 MiB");
    });
    moved = read_into(channel, SSH_EXTENDED_DATA_STDERR, deadline, [&](std::string_view text) { lines.add(text); }) ||
            moved;
    if (libssh2_channel_eof(channel) == 1) break;
    if (!moved && !wait_for(socket_.get(), POLLIN, deadline)) check(LIBSSH2_ERROR_TIMEOUT, "a command");
  }
  lines.end();
  // The exit status stands before the close; without a close there is none, and libssh2 would say 0.
  check(until_done(deadline, [&] { return libssh2_channel_wait_closed(channel); }), "the end of a command");
  result.exit_status = libssh2_channel_get_exit_status(channel);
  char* name = nullptr;
  std::size_t size = 0;
  libssh2_channel_get_exit_signal(channel, &name, &size, nullptr, nullptr, nullptr, nullptr);
  if (name != nullptr) result.signal.assign(name, size);
  libssh2_free(session_, name);
  return result;
}

}  // namespace

std::unique_ptr<SshSession> open_ssh_session(const SshTarget& target) {
  if (target.host_keys.empty()) throw Error(Kind::Usage, "ssh_host_keys: no host key to expect");
  std::string failures;
  for (const std::string& address : target.addresses) {
    try {
      return std::make_unique<Libssh2Session>(target, address);
    } catch (const Error& e) {
      // The first address is the host's. A later one may be private, and belong to somebody else in our own network:
      // what answers there says nothing as long as the first may still come up.
      if (e.kind() != Kind::Transient && failures.empty()) throw;
      failures += (failures.empty() ? "" : "; ") + std::string(e.what());
    }
  }
  if (failures.empty()) throw Error(Kind::Usage, "ipaddress: no address to connect to");
  throw Error(Kind::Transient, failures);
}

}  // namespace jarvis::workers
