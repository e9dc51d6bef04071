// The shared HTTP client (libcurl, whose room http.cc and http_url.cc are): one request, its answer. TLS is verified
// against the authorities that the caller names, else the system's; nothing is taken from the environment (no proxy, no
// certificates), no cookie and no .netrc is known, compressed answers are not asked for. Knows no clipboard and no API.
//
// Errors name the URL without its query, never a header or a body that was sent; what the other side says in them has
// no control characters. A refused or broken connection, a name that does not resolve and every time limit is
// Error(Transient); TLS that cannot be verified, an answer that is too large or no HTTP, and what a rule of the caller
// refuses is Error(Permanent) or what the rule threw.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/error.h"
#include "workers/address_range.h"
#include "workers/http_url.h"

namespace jarvis::workers {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// AWS Signature Version 4, made by libcurl over method, host, date, body and the headers given. For POST only: of
// parameters in a URL it does not always sign what it sends. The secret is in no message.
struct Sigv4 {
  std::string service, region;
  std::string key_id, secret, token;  // token: of a session, else empty
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers;
  std::string body;                         // sent if it is not empty, or the method is POST, PUT or PATCH
  std::chrono::milliseconds limit{20'000};  // of everything: name, connection, redirects, body
  std::size_t most_bytes = 1U << 20U;       // of the answer's body
  // Sent on a connection of its own: on one that it keeps libcurl sends a request again, whatever it does, when the
  // other side closes in place of an answer.
  bool once = false;
  std::optional<Sigv4> sigv4{};  // signs it, for its own origin only
};

struct HttpResponse {
  int status = 0;
  Url url;              // where it came from, after redirects
  HttpHeaders headers;  // names in lower case; of the last answer only
  std::string body;

  std::optional<std::string> header(std::string_view name) const;  // the first of that name
};

struct HttpRules {
  std::string ca_file;  // empty: the system's authorities
  std::chrono::milliseconds connect_limit{5'000};
  int most_redirects = 0;  // followed for GET and HEAD only; a redirect beyond that is an error, with 0 an answer
  // Each may be empty, and throws an Error to refuse. check_url is asked for the first URL and for every redirect;
  // check_address for the address that a connection is about to be made to, so that no second look-up lies between.
  std::function<void(const Url&)> check_url;
  std::function<void(const Url&, const IpAddress&)> check_address;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Blocks until the answer is there or request.limit is over. Any status is an answer. A redirect to another origin
  // carries none of the caller's headers.
  virtual HttpResponse request(const HttpRequest& request) = 0;
};

// Initialises the library and lets the process ignore SIGPIPE: for processes that live for one task, never for a
// forkserver itself.
std::unique_ptr<HttpClient> make_http_client(HttpRules rules);

// What an answer that is no success means: Transient for 408, 425, 429, 5xx, and 403 with a Retry-After (how some sites
// say "too often"), else Permanent. Says "URL answers 404 Not Found"; carries the answer's Retry-After.
pipeline::Error error_of(const HttpResponse& response);

// Retry-After (RFC 9110 section 10.2.3): seconds, or a date, which counts from `now`. Nothing for other text; at most a
// day.
std::optional<std::chrono::milliseconds> retry_after_of(std::string_view value,
                                                        std::chrono::system_clock::time_point now);

}  // namespace jarvis::workers
