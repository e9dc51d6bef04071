#include "workers/http.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <ctime>
#include <exception>

#include "workers/ascii.h"
#include "workers/printable.h"

namespace jarvis::workers {

using namespace std::chrono_literals;
using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";
constexpr std::size_t kMostHeaderBytes = 64U << 10U;
constexpr auto kAskAgain = 2s;  // of what the network did: nobody said when

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Lines = std::unique_ptr<curl_slist, FreeList>;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

// One exchange under way: what the library's callbacks fill in. They are C, so what they throw is kept until it is
// over.
struct Exchange {
  const HttpRules& rules;
  const Url& url;
  std::size_t most_bytes;
  HttpResponse response{};
  std::size_t header_bytes = 0;
  std::exception_ptr refusal{};
};

std::size_t take_body(char* bytes, std::size_t, std::size_t size, void* into) noexcept {
  auto& exchange = *static_cast<Exchange*>(into);
  try {
    if (exchange.response.body.size() + size > exchange.most_bytes)
      throw Error(Kind::Permanent,
                  exchange.url.shown() + " answers with more than " + std::to_string(exchange.most_bytes) + " bytes");
    exchange.response.body.append(bytes, size);
    return size;
  } catch (...) {
    exchange.refusal = std::current_exception();
    return 0;
  }
}

std::size_t take_header(char* bytes, std::size_t, std::size_t size, void* into) noexcept {
  auto& exchange = *static_cast<Exchange*>(into);
  try {
    exchange.header_bytes += size;
    if (exchange.header_bytes > kMostHeaderBytes)
      throw Error(Kind::Permanent, exchange.url.shown() + " answers with more than 64 KiB of headers");
    const std::string_view line(bytes, size);
    if (line.starts_with("HTTP/")) exchange.response.headers.clear();  // those before were of a 1xx answer
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && !line.starts_with("HTTP/"))
      exchange.response.headers.emplace_back(lower_case(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    return size;
  } catch (...) {
    exchange.refusal = std::current_exception();
    return 0;
  }
}

curl_socket_t open_socket(void* into, curlsocktype, curl_sockaddr* address) noexcept {
  auto& exchange = *static_cast<Exchange*>(into);
  try {
    const auto ip = IpAddress::of(address->addr);
    if (!ip) return CURL_SOCKET_BAD;
    if (exchange.rules.check_address) exchange.rules.check_address(exchange.url, *ip);
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  } catch (...) {
    exchange.refusal = std::current_exception();
    return CURL_SOCKET_BAD;
  }
}

// Not yet, in words: everything that the network may do better the next time.
Error temporary(const Url& url, const std::string& text) {
  Error error(Kind::Transient, url.shown() + " " + text);
  return error.retry_after(kAskAgain);
}

Error transfer_error(CURLcode code, const Url& url, const std::string& said, const HttpRules& rules) {
  const std::string detail = printable(said.empty() ? curl_easy_strerror(code) : said);
  const auto says = [&](const char* part) { return said.find(part) != std::string::npos; };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return temporary(url, "cannot be reached: its name does not resolve");
    case CURLE_COULDNT_CONNECT:
      return temporary(url, "cannot be reached: " + detail);
    case CURLE_OPERATION_TIMEDOUT:
      return temporary(url, "does not answer in time: " + detail);
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      return temporary(url, "broke off: " + detail);
    case CURLE_SSL_CONNECT_ERROR:
      if (says("reset by peer") || says("unexpected eof") || says("SSL_ERROR_SYSCALL"))
        return temporary(url, "broke off: " + detail);
      return {Kind::Permanent, url.shown() + ": no TLS connection: " + detail};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {Kind::Permanent, url.shown() + ": its certificate is not accepted: " + detail};
    case CURLE_SSL_CACERT_BADFILE:
      return {Kind::Usage, (rules.ca_file.empty() ? kSystemAuthorities : rules.ca_file) +
                               ": no certificates of authorities can be read from it"};
    default:
      return {Kind::Permanent, url.shown() + ": " + detail};
  }
}

const char* reason_of(int status) {
  struct Reason {
    int status;
    const char* text;
  };
  constexpr Reason kReasons[] = {
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {422, "Unprocessable"},
      {425, "Too Early"},
      {429, "Too Many Requests"},
      {451, "Unavailable For Legal Reasons"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  };
  for (const Reason& reason : kReasons) {
    if (reason.status == status) return reason.text;
  }
  return "";
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(HttpRules rules) : rules_(std::move(rules)) {
    ::signal(SIGPIPE, SIG_IGN);  // with NOSIGNAL the library leaves that to us
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw Error(Kind::Bug, "libcurl does not start");
    handle_.reset(curl_easy_init());
    if (!handle_) throw Error(Kind::Bug, "libcurl makes no handle");
  }

  HttpResponse request(const HttpRequest& request) override {
    const auto deadline = std::chrono::steady_clock::now() + request.limit;
    Url url = parse_url(request.url);
    const Url first = url;
    const bool follows = rules_.most_redirects > 0 && (request.method == "GET" || request.method == "HEAD");
    for (int hops = 0;; ++hops) {
      if (rules_.check_url) rules_.check_url(url);
      HttpResponse response = exchange(request, url, url.origin() == first.origin(), deadline);
      const auto location = response.header("location");
      if (!follows || !is_redirect(response.status) || !location) return response;
      if (hops == rules_.most_redirects)
        throw Error(Kind::Permanent,
                    first.shown() + " redirects more than " + std::to_string(rules_.most_redirects) + " times");
      try {
        url = resolve_url(url, *location);
      } catch (Error& e) {
        throw e.within("the redirect of " + url.shown());
      }
    }
  }

 private:
  HttpResponse exchange(const HttpRequest& request, const Url& url, bool own_origin,
                        std::chrono::steady_clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= 0ms) throw temporary(url, "was not asked any more: the time is up");
    Exchange exchange{rules_, url, request.most_bytes};
    char said[CURL_ERROR_SIZE] = {};
    Lines lines;
    CURL* const h = handle_.get();
    curl_easy_reset(h);  // keeps connections
    set(CURLOPT_URL, url.text().c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");  // an empty one is none, whatever the environment says
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_CAINFO, rules_.ca_file.empty() ? kSystemAuthorities : rules_.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_FRESH_CONNECT, request.once ? 1L : 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // a resolver that hangs does not hold the end of the process
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(rules_.connect_limit, left).count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    set(CURLOPT_USERAGENT, "jarvis/" JARVIS_VERSION);
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(said));
    set(CURLOPT_WRITEFUNCTION, take_body);
    set(CURLOPT_WRITEDATA, &exchange);
    set(CURLOPT_HEADERFUNCTION, take_header);
    set(CURLOPT_HEADERDATA, &exchange);
    set(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    set(CURLOPT_OPENSOCKETDATA, &exchange);
    set_message(request, own_origin, lines);
    const CURLcode code = curl_easy_perform(h);
    if (exchange.refusal && code != CURLE_OK) std::rethrow_exception(exchange.refusal);
    if (code != CURLE_OK) throw transfer_error(code, url, said, rules_);
    long status = 0;
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    exchange.response.status = static_cast<int>(status);
    exchange.response.url = url;
    return std::move(exchange.response);
  }

  void set_message(const HttpRequest& request, bool own_origin, Lines& lines) {
    if (request.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
               request.method == "PATCH") {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_POSTFIELDS, request.body.c_str());
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    } else if (request.method != "GET") {
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    const auto add = [&](const std::string& line) {
      if (line.find_first_of("\r\n") != std::string::npos) throw Error(Kind::Bug, "a header holds a line break");
      curl_slist* const longer = curl_slist_append(lines.get(), line.c_str());
      if (longer == nullptr) throw std::bad_alloc();
      (void)lines.release();
      lines.reset(longer);
    };
    // No 100-continue: it costs a second where nobody answers it. What is signed is too short to ask for one, and its
    // signature would count the header that is not sent.
    if (!request.sigv4) add("Expect:");
    if (own_origin) {
      // With a semicolon libcurl sends a header that has no value; with a colon it would drop it.
      for (const auto& [name, value] : request.headers) add(value.empty() ? name + ";" : name + ": " + value);
      if (request.sigv4) sign(*request.sigv4, request, add);
    }
    set(CURLOPT_HTTPHEADER, lines.get());
  }

  template <typename Add>
  void sign(const Sigv4& key, const HttpRequest& request, const Add& add) {
    if (request.method != "POST") throw Error(Kind::Bug, "only POST is signed");
    if (!key.token.empty()) add("X-Amz-Security-Token: " + key.token);
    set(CURLOPT_AWS_SIGV4, ("aws:amz:" + key.region + ":" + key.service).c_str());
    set(CURLOPT_USERNAME, key.key_id.c_str());
    set(CURLOPT_PASSWORD, key.secret.c_str());
  }

  template <typename T>
  void set(CURLoption option, T value) {
    const CURLcode code = curl_easy_setopt(handle_.get(), option, value);
    if (code != CURLE_OK)
      throw Error(Kind::Bug, "libcurl refuses option " + std::to_string(option) + ": " + curl_easy_strerror(code));
  }

  HttpRules rules_;
  std::unique_ptr<CURL, FreeHandle> handle_;
};

}  // namespace

std::optional<std::string> HttpResponse::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known == name) return value;
  }
  return {};
}

std::unique_ptr<HttpClient> make_http_client(HttpRules rules) {
  return std::make_unique<CurlClient>(std::move(rules));
}

Error error_of(const HttpResponse& response) {
  const auto said = response.header("retry-after");
  const auto delay = said ? retry_after_of(*said, std::chrono::system_clock::now()) : std::nullopt;
  const int status = response.status;
  const bool passes = status == 408 || status == 425 || status == 429 || status >= 500 || (status == 403 && delay);
  const std::string reason = reason_of(status);
  Error error(passes ? Kind::Transient : Kind::Permanent,
              response.url.shown() + " answers " + std::to_string(status) + (reason.empty() ? "" : " " + reason));
  return passes ? error.retry_after(delay.value_or(kAskAgain)) : error;
}

std::optional<std::chrono::milliseconds> retry_after_of(std::string_view value,
                                                        std::chrono::system_clock::time_point now) {
  constexpr std::chrono::milliseconds kLongest = 24h;
  value = trimmed(value);
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (end == value.data() + value.size() && !value.empty() && error == std::errc())
    return std::min<std::chrono::milliseconds>(std::chrono::seconds(seconds), kLongest);
  const bool digits = std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!value.empty() && digits) return kLongest;
  // IMF-fixdate (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". The older forms are read, too.
  const std::time_t date = curl_getdate(std::string(value).c_str(), nullptr);
  if (date == -1) return {};
  const auto delay = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::system_clock::from_time_t(date) - now);
  return std::clamp<std::chrono::milliseconds>(delay, 0ms, kLongest);
}

}  // namespace jarvis::workers
