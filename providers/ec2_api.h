// The client of EC2's Query API in one region: signed POSTs, answers as XML, page after page. Knows no machine. Blocks
// as api.h does.
//
// A refusal is an Ec2Refusal with EC2's own code and words; what may pass by itself, an answer that cannot be read
// after a change among it, is Error(Transient): whoever asked looks again. Sources: Amazon EC2 API Reference (Query
// requests, Error codes).
#pragma once

#include <functional>
#include <memory>
#include <pugixml.hpp>
#include <string>

#include "providers/api.h"
#include "providers/ec2_credentials.h"
#include "providers/ec2_query.h"

namespace jarvis::providers {

struct Ec2Refusal : pipeline::Error {
  Ec2Refusal(const Error& error, std::string its_code) : Error(error), code(std::move(its_code)) {}
  std::string code;
};

struct Ec2Access {
  std::string region;
  std::string endpoint;  // empty: the region's own
  Credentials credentials;
  ApiAccess http;
  std::chrono::milliseconds poll{3000};
};

class Ec2Api {
 public:
  using Answer = std::unique_ptr<pugi::xml_document>;

  explicit Ec2Api(Ec2Access access);

  const std::string& region() const { return access_.region; }

  // The root element of the answer lives as long as the Answer does.
  Answer look(const Query& query);
  Answer change(const Query& query);
  // Every `item` under `set` of every page.
  void pages(Query query, const char* set, int page_size, const std::function<void(const pugi::xml_node&)>& take);
  // Would it be allowed (DryRun): returns, or throws the refusal.
  void dry_run(Query query);

 private:
  workers::HttpRequest request(const Query& query) const;
  pugi::xml_node root(const Answer& answer) const { return answer->document_element(); }
  Answer read(const Query& query, const workers::HttpResponse& response) const;
  [[noreturn]] void refuse(const Query& query, const workers::HttpResponse& response) const;

  Ec2Access access_;
  std::string url_;
  Api api_;
};

// https://ec2.REGION.amazonaws.com, of China's partition with .cn.
std::string endpoint_of(const std::string& region);

}  // namespace jarvis::providers
