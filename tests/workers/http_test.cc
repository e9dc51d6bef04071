#include "workers/http.h"

#include <doctest/doctest.h>

#include <ctime>

#include "tests/workers/scratch.h"

using namespace jarvis::workers;
using namespace std::chrono_literals;
using jarvis::pipeline::Kind;

TEST_CASE("Retry-After") {
  const auto now = std::chrono::system_clock::from_time_t(784111777);  // Sun, 06 Nov 1994 08:49:37 GMT
  struct Case {
    const char* value;
    std::optional<std::chrono::milliseconds> want;
  };
  for (const Case& c : {Case{"120", 120s},
                        {" 7 ", 7s},
                        {"0", 0s},
                        {"99999999", 24h},
                        {"99999999999999999999", 24h},
                        {"Sun, 06 Nov 1994 08:50:37 GMT", 60s},
                        {"Sunday, 06-Nov-94 08:50:37 GMT", 60s},
                        {"Sun, 06 Nov 1994 08:00:00 GMT", 0s},
                        {"Sun, 06 Nov 2094 08:00:00 GMT", 24h},
                        {"", {}},
                        {"-1", {}},
                        {"1.5", {}},
                        {"soon", {}}}) {
    CAPTURE(c.value);
    CHECK(retry_after_of(c.value, now) == c.want);
  }
}

TEST_CASE("what an answer means") {
  struct Case {
    int status;
    const char* retry_after;
    Kind kind;
    std::optional<std::chrono::milliseconds> delay;
    const char* text;
  };
  for (const Case& c : {
           Case{404, nullptr, Kind::Permanent, {}, "https://example.org/x answers 404 Not Found"},
           {404, "5", Kind::Permanent, {}, "https://example.org/x answers 404 Not Found"},
           {403, nullptr, Kind::Permanent, {}, "https://example.org/x answers 403 Forbidden"},
           {403, "5", Kind::Transient, 5s, "https://example.org/x answers 403 Forbidden"},
           {429, "7", Kind::Transient, 7s, "https://example.org/x answers 429 Too Many Requests"},
           {429, nullptr, Kind::Transient, 2s, "https://example.org/x answers 429 Too Many Requests"},
           {503, "rubbish", Kind::Transient, 2s, "https://example.org/x answers 503 Service Unavailable"},
           {599, nullptr, Kind::Transient, 2s, "https://example.org/x answers 599"},
           {302, nullptr, Kind::Permanent, {}, "https://example.org/x answers 302"},
       }) {
    CAPTURE(c.status);
    HttpResponse response;
    response.status = c.status;
    response.url = parse_url("https://example.org/x?token=planted-secret");
    if (c.retry_after != nullptr) response.headers = {{"retry-after", c.retry_after}};
    const auto error = error_of(response);
    CHECK(error.kind() == c.kind);
    CHECK(error.retry_after() == c.delay);
    CHECK(std::string(error.what()) == c.text);
  }
}
