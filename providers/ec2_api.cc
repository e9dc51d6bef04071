#include "providers/ec2_api.h"

#include "providers/ec2_answer.h"

namespace jarvis::providers {

namespace {

using pipeline::Error;
using pipeline::Kind;
using workers::HttpRequest;
using workers::HttpResponse;

constexpr std::size_t kMostAnswer = 16U << 20U;
constexpr int kMostPages = 1000;  // a token that leads round and round must end somewhere

// EC2's words, without the block that only an administrator can decode.
std::optional<std::string> words_of(const HttpResponse& response) {
  auto fault = read_fault(response.body);
  if (!fault) return {};
  fault->message.resize(std::min(fault->message.find(" Encoded authorization failure"), fault->message.size()));
  const bool id_elsewhere = fault->request.empty() || !request_id_of(response).empty();
  return fault->message + (fault->message.empty() ? "" : " ") + "[" + fault->code + "]" +
         (id_elsewhere ? "" : " (request " + fault->request + ")");
}

bool is_temporary(const HttpResponse& response) {
  const auto fault = read_fault(response.body);
  return fault && is_temporary_code(fault->code);
}

ApiAccess with_words(ApiAccess access) {
  access.words = words_of;
  access.is_temporary = is_temporary;
  return access;
}

}  // namespace

std::string endpoint_of(const std::string& region) {
  return "https://ec2." + region + ".amazonaws.com" + (region.starts_with("cn-") ? ".cn" : "");
}

Ec2Api::Ec2Api(Ec2Access access)
    : access_(std::move(access)),
      url_(access_.endpoint.empty() ? endpoint_of(access_.region) : access_.endpoint),
      api_(with_words(access_.http)) {
  if (!url_.ends_with('/')) url_ += '/';
}

HttpRequest Ec2Api::request(const Query& query) const {
  HttpRequest made;
  made.method = "POST";
  made.url = url_;
  made.body = query.body();
  made.limit = std::chrono::seconds(60);
  made.most_bytes = kMostAnswer;
  made.sigv4 = workers::Sigv4{"ec2", access_.region, access_.credentials.key_id, access_.credentials.secret,
                              access_.credentials.token};
  return made;
}

void Ec2Api::refuse(const Query& query, const HttpResponse& response) const {
  const auto fault = read_fault(response.body);
  const std::string code = fault ? fault->code : "";
  Error error = api_.refusal(response);
  if (is_credentials_code(code)) {
    error = Error(error.kind(), std::string(error.what()) +
                                    "; look at the credentials of `providers: ec2:` and at this machine's clock");
  }
  throw Ec2Refusal(error.within("EC2 " + query.action()), code);
}

Ec2Api::Answer Ec2Api::read(const Query& query, const HttpResponse& response) const {
  if (response.status < 200 || response.status > 299) refuse(query, response);
  auto answer = read_answer(response.body, query.action());
  if (!answer) throw Api::unreadable(response, "no " + query.action() + "Response in XML");
  return answer;
}

Ec2Api::Answer Ec2Api::look(const Query& query) {
  return api_.look(request(query), [&](const HttpResponse& response) { return read(query, response); });
}

Ec2Api::Answer Ec2Api::change(const Query& query) {
  try {
    return read(query, api_.ask(request(query), Repeat::Changes));
  } catch (const Api::Unreadable& e) {
    // Done or not done: whoever is asked again looks first.
    Error error(Kind::Transient, e.what());
    throw error.retry_after(access_.poll);
  } catch (Error& e) {
    const bool capacity = std::string_view(e.what()).find(" [Insufficient") != std::string_view::npos;
    if (e.kind() == Kind::Transient && capacity) e.retry_after(6 * access_.poll);  // not back within seconds
    throw;
  }
}

void Ec2Api::pages(Query query, const char* set, int page_size,
                   const std::function<void(const pugi::xml_node&)>& take) {
  query.set("MaxResults", std::to_string(page_size));
  for (int page = 0; page < kMostPages; ++page) {
    const Answer answer = look(query);
    for (const auto& item : root(answer).child(set).children("item")) take(item);
    const std::string next = text_at(root(answer), "nextToken");
    if (next.empty()) return;
    query.set("NextToken", next);
  }
  throw Error(Kind::Permanent, "EC2 " + query.action() + ": its pages have no end");
}

void Ec2Api::dry_run(Query query) {
  query.set("DryRun", "true");
  const HttpResponse response = api_.ask(request(query), Repeat::Looks);
  const auto fault = read_fault(response.body);
  if (fault && fault->code == "DryRunOperation") return;
  if (response.status >= 400) refuse(query, response);
  throw Error(Kind::Permanent, "EC2 " + query.action() + ": asked whether it could, the other side answers " +
                                   std::to_string(response.status) + ", which says neither yes nor no");
}

}  // namespace jarvis::providers
