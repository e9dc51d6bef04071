// The client of providers' APIs over HTTP: one call, its answer, at the pace of the whole state directory. Knows no
// JSON and no XML; what an API's own words and codes mean is the provider's to say.
//
// http:// leads to this machine only. What may pass by itself is Error(Transient): no connection, no answer in time,
// 408, 425, 429, 5xx; it carries Retry-After. Calls that only look are asked again here first, twice, after a moment or
// when the answer says, if that is within two seconds; calls that change are never repeated here, since their answer
// may be all that was lost: the task is asked again, and looks. Errors name URL, status and the request's id, never a
// header or a body that was sent.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "workers/http.h"
#include "workers/pace.h"
#include "workers/worker.h"

namespace jarvis::providers {

struct ApiAccess {
  std::string ca_file;         // empty: the system's authorities
  std::filesystem::path pace;  // the file that all processes share
  double per_second = 5, burst = 10;
  // What an answer that is no success says, in the API's own words; nothing if it says nothing that can be read.
  std::function<std::optional<std::string>(const workers::HttpResponse&)> words;
  // Whether an answer of another status is temporary all the same ("Linode busy", "RequestLimitExceeded"). May be
  // empty.
  std::function<bool(const workers::HttpResponse&)> is_temporary;
  // Whether one whose status looks temporary is the caller's to judge all the same (a SOAP fault comes with 500). May
  // be empty.
  std::function<bool(const workers::HttpResponse&)> is_refusal;
};

// What every provider's section of the configuration may say: CA_FILE, RATE (calls a second, else `per_second`), DIR.
ApiAccess access_of(const workers::Call& call, double per_second);
// POLL: how soon an API that is at work is asked again.
std::chrono::milliseconds poll_of(const workers::Call& call);

enum class Repeat { Looks, Changes };

class Api {
 public:
  explicit Api(ApiAccess access);

  // Any answer but temporary ones: 2xx, 3xx and refusals, which are the caller's to judge.
  workers::HttpResponse ask(const workers::HttpRequest& request, Repeat repeat);
  // Error(Permanent) of a refusal: "URL answers 403 Forbidden: WORDS (request ID)".
  pipeline::Error refusal(const workers::HttpResponse& response) const;
  // Of an answer that cannot be read: "URL answers 200 with what is no JSON".
  struct Unreadable : pipeline::Error {
    using Error::Error;
  };
  static Unreadable unreadable(const workers::HttpResponse& response, const std::string& what);
  // Asks a call that only looks, and asks again while `read` throws Unreadable: what stands between may do better.
  template <typename Read>
  auto look(const workers::HttpRequest& request, Read read) {
    for (int round = 1;; ++round) {
      const workers::HttpResponse response = ask(request, Repeat::Looks);
      try {
        return read(response);
      } catch (const Unreadable&) {
        if (round == kRounds) throw;
      }
      pause(round);
    }
  }

 private:
  static constexpr int kRounds = 3;
  static void pause(int round, std::chrono::milliseconds at_least = {});
  std::string with_words(std::string text, const workers::HttpResponse& response) const;

  ApiAccess access_;
  workers::Pace pace_;
  std::unique_ptr<workers::HttpClient> http_;
};

// The id that the other side gave to a request (x-request-id, x-amzn-requestid and the like); empty if none.
std::string request_id_of(const workers::HttpResponse& response);

}  // namespace jarvis::providers
