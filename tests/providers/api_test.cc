// The client of providers' APIs: what is asked again, what is given up, and what an error says.
#include "providers/api.h"

#include <doctest/doctest.h>

#include "tests/providers/http_script.h"
#include "tests/workers/scratch.h"

using namespace jarvis::providers;
using namespace std::chrono_literals;
using jarvis::pipeline::Error;
using jarvis::pipeline::Kind;
using jarvis::tests::answer;
using jarvis::tests::error_of;
using jarvis::tests::holds;
using jarvis::tests::HttpScript;
using jarvis::tests::TempDir;
using jarvis::workers::HttpRequest;
using jarvis::workers::HttpResponse;

namespace {

ApiAccess access_of(const TempDir& dir) {
  ApiAccess access;
  access.pace = dir / "pace";
  access.per_second = 1000;
  access.burst = 1000;
  access.words = [](const HttpResponse& response) -> std::optional<std::string> {
    if (!response.body.starts_with("why: ")) return std::nullopt;
    return response.body.substr(5);
  };
  access.is_temporary = [](const HttpResponse& response) { return response.body == "why: busy"; };
  return access;
}

HttpRequest request_of(const HttpScript& server) {
  HttpRequest request;
  request.method = "POST";
  request.url = server.url() + "/v1/things?token=planted-in-query";
  request.headers = {{"Authorization", "Bearer planted-token"}};
  request.body = "{\"root_pass\": \"planted-password\"}";
  return request;
}

}  // namespace

TEST_CASE("api: what is asked again") {
  const std::string busy = answer("503 Service Unavailable", "<html>", "X-Request-Id: abc-1\r\n");
  const std::string well = answer("200 OK", "{}");
  struct Case {
    const char* name;
    std::vector<std::string> answers;
    Repeat repeat;
    std::size_t requests;
    int status;           // 0: an error
    const char* text;     // of it
    long retry_after_ms;  // of it; 0: not looked at
  };
  for (const Case& c : {
           Case{"well", {well}, Repeat::Looks, 1, 200, "", 0},
           {"well at last", {busy, "", well}, Repeat::Looks, 3, 200, "", 0},
           {"busy for good", {busy}, Repeat::Looks, 3, 0, "answers 503 Service Unavailable (request abc-1)", 2000},
           {"a change is never repeated", {busy, well}, Repeat::Changes, 1, 0, "answers 503", 2000},
           {"nor when nothing came back", {"", well}, Repeat::Changes, 1, 0, "", 0},
           {"who says when is not asked before",
            {answer("429 Too Many Requests", "why: slow down", "Retry-After: 30\r\n"), well},
            Repeat::Looks,
            1,
            0,
            "answers 429 Too Many Requests: slow down",
            30000},
           {"half a body", {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", well}, Repeat::Looks, 2, 200, "", 0},
           {"temporary in the API's own words",
            {answer("400 Bad Request", "why: busy"), well},
            Repeat::Looks,
            2,
            200,
            "",
            0},
           {"the same of a change",
            {answer("400 Bad Request", "why: busy"), well},
            Repeat::Changes,
            1,
            0,
            "answers 400 Bad Request: busy",
            2000},
           {"a refusal is an answer", {answer("404 Not Found", "why: gone")}, Repeat::Looks, 1, 404, "", 0},
           {"a redirect too",
            {answer("302 Found", "", "Location: https://example.org/\r\n")},
            Repeat::Looks,
            1,
            302,
            "",
            0},
       }) {
    CAPTURE(c.name);
    const TempDir dir;
    HttpScript server(c.answers);
    Api api(access_of(dir));
    if (c.status > 0) {
      CHECK(api.ask(request_of(server), c.repeat).status == c.status);
    } else {
      const Error error = error_of([&] { (void)api.ask(request_of(server), c.repeat); });
      CHECK(error.kind() == Kind::Transient);
      CHECK_MESSAGE(holds(error.what(), c.text), error.what());
      CHECK_FALSE(holds(error.what(), "planted"));
      if (c.retry_after_ms > 0) CHECK(error.retry_after() == std::chrono::milliseconds(c.retry_after_ms));
    }
    CHECK(server.requests().size() == c.requests);
    CHECK(holds(server.requests().front(), "planted-token"));
  }
}

TEST_CASE("api: who says when is not asked before, however soon it is") {
  for (const char* status : {"429 Too Many Requests", "503 Service Unavailable"}) {
    CAPTURE(status);
    const TempDir dir;
    HttpScript server({answer(status, "", "Retry-After: 1\r\n"), answer("200 OK", "{}")});
    const auto begin = std::chrono::steady_clock::now();
    CHECK(Api(access_of(dir)).ask(request_of(server), Repeat::Looks).status == 200);
    CHECK(std::chrono::steady_clock::now() - begin >= 1s);
    CHECK(server.requests().size() == 2);
  }
}

TEST_CASE("api: what a refusal says") {
  const TempDir dir;
  HttpScript server({answer("403 Forbidden", "why: not \x1b[2J yours\n", "X-Amzn-RequestId: r-7\r\n")});
  Api api(access_of(dir));
  const Error error = api.refusal(api.ask(request_of(server), Repeat::Changes));
  CHECK(error.kind() == Kind::Permanent);
  CHECK(holds(error.what(), server.url() + "/v1/things answers 403 Forbidden: not "));
  CHECK(holds(error.what(), "(request r-7)"));
  CHECK_FALSE(holds(error.what(), "\x1b"));
  CHECK_FALSE(holds(error.what(), "planted"));
}

TEST_CASE("api: an answer that cannot be read") {
  const TempDir dir;
  const auto read = [](const HttpResponse& response) {
    if (!response.body.starts_with("{")) throw Api::unreadable(response, "no JSON");
    return response.body;
  };
  HttpScript server({answer("200 OK", "<html>"), answer("200 OK", "{}")});
  CHECK(Api(access_of(dir)).look(request_of(server), read) == "{}");
  HttpScript other({answer("200 OK", "<html>")});
  const Error error = error_of([&] { (void)Api(access_of(dir)).look(request_of(other), read); });
  CHECK(error.kind() == Kind::Permanent);
  CHECK(holds(error.what(), other.url() + "/v1/things answers 200 with what is no JSON"));
  CHECK(other.requests().size() == 3);
}

TEST_CASE("api: without TLS to this machine only, and nobody there") {
  const TempDir dir;
  HttpRequest request;
  request.url = "http://192.0.2.1/v1";
  const Error refused = error_of([&] { (void)Api(access_of(dir)).ask(request, Repeat::Looks); });
  CHECK(refused.kind() == Kind::Refused);
  CHECK(holds(refused.what(), "http without TLS is for this machine only"));
  {
    const HttpScript gone({""});
    request.url = gone.url();
  }
  CHECK(error_of([&] { (void)Api(access_of(dir)).ask(request, Repeat::Changes); }).kind() == Kind::Transient);
}
