#include "providers/api.h"

#include <time.h>

#include <algorithm>
#include <charconv>

#include "workers/address_range.h"
#include "workers/printable.h"

namespace jarvis::providers {

using pipeline::Error;
using pipeline::Kind;
using workers::HttpRequest;
using workers::HttpResponse;
using workers::HttpRules;

namespace {

constexpr std::size_t kMostWords = 300;
constexpr std::chrono::milliseconds kSoon{2000};

void only_this_machine_without_tls(const workers::Url& url, const workers::IpAddress& address) {
  if (url.scheme == "https" || workers::special_purpose(address).value_or("") == "this machine") return;
  throw Error(Kind::Refused, "refused: " + url.shown() + " leads to " + address.text() +
                                 "; http without TLS is for this machine only");
}

HttpRules rules_of(const ApiAccess& access) {
  HttpRules rules;
  rules.ca_file = access.ca_file;
  rules.check_address = only_this_machine_without_tls;
  return rules;
}

// A number of the environment, which the loop has checked; by hand it may be anything.
double number_of(const workers::Call& call, const char* name, double otherwise) {
  const std::string text = call.setting(name, "");
  if (text.empty()) return otherwise;
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || !(number > 0 && number < 1e9))
    throw Error(Kind::Usage,
                call.task + ": the setting " + name + " must be a number above 0, not " + workers::printable(text, 40));
  return number;
}

}  // namespace

ApiAccess access_of(const workers::Call& call, double per_second) {
  ApiAccess access;
  access.ca_file = call.setting("CA_FILE", "");
  access.pace = std::filesystem::path(call.setting("DIR")) / "pace";
  access.per_second = number_of(call, "RATE", per_second);
  access.burst = 2 * access.per_second;
  return access;
}

std::chrono::milliseconds poll_of(const workers::Call& call) {
  return std::chrono::milliseconds(static_cast<long>(number_of(call, "POLL", 3000)));
}

Api::Api(ApiAccess access)
    : access_(std::move(access)),
      pace_(access_.pace, access_.per_second, access_.burst),
      http_(workers::make_http_client(rules_of(access_))) {}

void Api::pause(int round, std::chrono::milliseconds at_least) {
  const auto time = std::max(at_least, std::chrono::milliseconds(100L * round * round));
  const timespec moment{time.count() / 1000, time.count() % 1000 * 1'000'000L};
  ::nanosleep(&moment, nullptr);
}

HttpResponse Api::ask(const HttpRequest& asked, Repeat repeat) {
  HttpRequest request = asked;
  request.once = repeat == Repeat::Changes;
  for (int round = 1;; ++round) {
    pace_.take();
    std::optional<std::chrono::milliseconds> when;  // as the answer says
    try {
      HttpResponse response = http_->request(request);
      Error error = workers::error_of(response);
      const bool temporary =
          response.status >= 400 && !(access_.is_refusal && access_.is_refusal(response)) &&
          (error.kind() == Kind::Transient || (access_.is_temporary && access_.is_temporary(response)));
      if (!temporary) return response;
      when = error.retry_after();
      Error fault(Kind::Transient, with_words(error.what(), response));
      throw fault.retry_after(when.value_or(kSoon));
    } catch (const Error& e) {
      // Who says when to come back is not asked before, and later than soon by the next attempt of the task only; who
      // is asked to change something is not asked again here.
      const bool later = when && *when > kSoon;
      if (e.kind() != Kind::Transient || repeat == Repeat::Changes || later || round == kRounds) throw;
    }
    pause(round, when.value_or(std::chrono::milliseconds(0)));
  }
}

std::string Api::with_words(std::string text, const HttpResponse& response) const {
  const auto words = access_.words ? access_.words(response) : std::nullopt;
  if (words && !words->empty()) text += ": " + workers::printable(*words, kMostWords);
  const std::string id = request_id_of(response);
  if (!id.empty()) text += " (request " + id + ")";
  return text;
}

Error Api::refusal(const HttpResponse& response) const {
  return {Kind::Permanent, with_words(workers::error_of(response).what(), response)};
}

Api::Unreadable Api::unreadable(const HttpResponse& response, const std::string& what) {
  const std::string id = request_id_of(response);
  return {Kind::Permanent, response.url.shown() + " answers " + std::to_string(response.status) + " with what is " +
                               what + (id.empty() ? "" : " (request " + id + ")")};
}

std::string request_id_of(const HttpResponse& response) {
  for (const char* name : {"x-amzn-requestid", "x-request-id", "x-amz-request-id", "x-correlation-id"}) {
    if (const auto id = response.header(name)) return workers::printable(*id, 80);
  }
  return {};
}

}  // namespace jarvis::providers
