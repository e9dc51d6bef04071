#include "providers/ec2_credentials.h"

#include <nlohmann/json.hpp>

#include "workers/address_range.h"
#include "workers/http.h"
#include "workers/http_url.h"

namespace jarvis::providers {

namespace {

using pipeline::Error;
using pipeline::Kind;
using workers::HttpRequest;
using workers::HttpResponse;

constexpr const char* kMetadata = "http://169.254.169.254";
constexpr const char* kRoles = "/latest/meta-data/iam/security-credentials/";

void only_the_metadata_service(const workers::Url& url, const workers::IpAddress& address) {
  const std::string ip = address.text();
  if (ip == "169.254.169.254" || ip == "fd00:ec2::254" ||
      workers::special_purpose(address).value_or("") == "this machine")
    return;
  throw Error(Kind::Refused,
              "refused: " + url.shown() + " leads to " + ip + ", which is not the metadata service of a machine");
}

class Metadata {
 public:
  explicit Metadata(std::string base) : base_(std::move(base)) {
    while (base_.ends_with('/')) base_.pop_back();
    workers::HttpRules rules;
    rules.connect_limit = std::chrono::seconds(2);
    rules.check_address = only_the_metadata_service;
    http_ = workers::make_http_client(rules);
    token_ = ask("PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "60"}}, "IMDSv2");
  }

  std::string get(const std::string& path, const char* what) {
    return ask("GET", path, {{"X-aws-ec2-metadata-token", token_}}, what);
  }

 private:
  std::string ask(const char* method, const std::string& path, workers::HttpHeaders headers, const char* what) {
    HttpRequest request;
    request.method = method;
    request.url = base_ + path;
    request.headers = std::move(headers);
    request.limit = std::chrono::seconds(5);
    request.most_bytes = 64U << 10U;
    const HttpResponse response = http_->request(request);
    if (response.status == 200) return response.body;
    Error error = workers::error_of(response);
    throw error.within(std::string("credentials: instance: this machine has no ") + what);
  }

  std::string base_, token_;
  std::unique_ptr<workers::HttpClient> http_;
};

}  // namespace

Credentials role_credentials(const std::string& base) {
  Metadata metadata(base);
  std::string role = metadata.get(kRoles, "role");
  role.resize(std::min(role.find('\n'), role.size()));
  if (role.empty()) throw Error(Kind::Usage, "credentials: instance: this machine has no role (instance profile)");
  const auto answer = nlohmann::json::parse(
      metadata.get(kRoles + workers::percent_encoded(role), "credentials for its role"), nullptr, false);
  const auto text = [&](const char* key) {
    const bool there = answer.is_object() && answer.contains(key) && answer[key].is_string();
    return there ? answer[key].get<std::string>() : std::string();
  };
  Credentials made{text("AccessKeyId"), text("SecretAccessKey"), text("Token")};
  if (made.key_id.empty() || made.secret.empty()) {
    throw Error(Kind::Permanent,
                "credentials: instance: the metadata service answers for role " + role + " without a key");
  }
  return made;
}

Credentials credentials_of(const workers::Call& call) {
  const std::string from = call.setting("CREDENTIALS", "");
  if (from == "instance") return role_credentials(call.setting("METADATA", kMetadata));
  return {call.setting("ACCESS_KEY_ID"), call.setting("SECRET_KEY"), call.setting("SESSION_TOKEN", "")};
}

}  // namespace jarvis::providers
