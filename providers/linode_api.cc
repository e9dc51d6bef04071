#include "providers/linode_api.h"

namespace jarvis::providers {

using pipeline::Error;
using pipeline::Kind;
using workers::HttpRequest;
using workers::HttpResponse;

namespace {

constexpr const char* kPublicApi = "https://api.linode.com/v4";
constexpr double kCallsPerSecond = 5;  // Linode allows some 13 (800 a minute) and fewer of some
constexpr std::size_t kMostBytes = 8U << 20U;
constexpr const char* kLongestPages = "500";
constexpr const char* kShortestPages = "25";

ApiAccess linode_access(const workers::Call& call) {
  ApiAccess access = access_of(call, kCallsPerSecond);
  access.words = [](const HttpResponse& response) { return reasons_of(response.body); };
  // "Linode busy.": something else is under way with it.
  access.is_temporary = [](const HttpResponse& response) {
    return response.status == 400 && reasons_of(response.body).value_or("").ends_with(" busy.");
  };
  return access;
}

std::string token_of(const workers::Call& call) {
  std::string token = call.setting("TOKEN", "");
  if (!token.empty()) return token;
  throw Error(Kind::Usage,
              "linode: no credentials: `providers: linode: token_file:` of the configuration names the "
              "file that holds the token");
}

bool well(const HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

}  // namespace

LinodeApi::LinodeApi(const workers::Call& call)
    : base_(call.setting("API", kPublicApi)), token_(token_of(call)), api_(linode_access(call)) {
  while (base_.ends_with('/')) base_.pop_back();
}

HttpRequest LinodeApi::request(const std::string& method, const std::string& path, const Json& body) const {
  HttpRequest made;
  made.method = method;
  made.url = base_ + path;
  made.headers = {{"Authorization", "Bearer " + token_}, {"Accept", "application/json"}};
  made.most_bytes = kMostBytes;
  if (!body.is_null()) {
    made.headers.emplace_back("Content-Type", "application/json");
    made.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return made;
}

Error LinodeApi::refusal(const HttpResponse& response) const {
  Error error = api_.refusal(response);
  if (response.status != 401 && response.status != 403) return error;
  std::string text = std::string(error.what()) + "; the token is that of providers: linode: token_file";
  const auto has = response.header("x-oauth-scopes");
  const auto needs = response.header("x-accepted-oauth-scopes");
  if (has && needs) text += ", its scopes are `" + *has + "`, needed is `" + *needs + "`";
  return {error.kind(), text};
}

template <typename T>
std::vector<T> LinodeApi::list(const std::string& path, const Json& filter, bool first_page_only) {
  std::vector<T> all;
  int pages = 1;
  for (int page = 1; page <= pages; ++page) {
    HttpRequest asked = request(
        "GET",
        path + "?page=" + std::to_string(page) + "&page_size=" + (first_page_only ? kShortestPages : kLongestPages),
        nullptr);
    if (!filter.is_null()) asked.headers.emplace_back("X-Filter", filter.dump());
    const std::vector<T> some = api_.look(asked, [&](const HttpResponse& response) {
      if (!well(response)) throw refusal(response);
      return readable(response, [&](const std::string& text) {
        const LinodePage read_page = page_of(text);
        std::vector<T> made;
        for (const Json& object : read_page.objects) read(object, made.emplace_back());
        if (!first_page_only) pages = read_page.pages;
        return made;
      });
    });
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

template <typename T>
std::optional<T> LinodeApi::one(const std::string& path) {
  return api_.look(request("GET", path, nullptr), [&](const HttpResponse& response) -> std::optional<T> {
    if (!well(response) && response.status != 404) throw refusal(response);
    return readable(response, [&](const std::string& text) -> std::optional<T> {
      const Json said = object_of(text);  // also of what is not there: the word of Linode, and of nobody in between
      if (response.status == 404) return std::nullopt;
      T made;
      read(said, made);
      return made;
    });
  });
}

// What the header asks for.
template std::vector<LinodeRegion> LinodeApi::list(const std::string&, const Json&, bool);
template std::vector<LinodeType> LinodeApi::list(const std::string&, const Json&, bool);
template std::vector<LinodeImage> LinodeApi::list(const std::string&, const Json&, bool);
template std::vector<LinodeKernel> LinodeApi::list(const std::string&, const Json&, bool);
template std::vector<LinodeInstance> LinodeApi::list(const std::string&, const Json&, bool);
template std::vector<LinodeDisk> LinodeApi::list(const std::string&, const Json&, bool);
template std::vector<LinodeConfig> LinodeApi::list(const std::string&, const Json&, bool);
template std::vector<LinodeVolume> LinodeApi::list(const std::string&, const Json&, bool);
template std::optional<LinodeInstance> LinodeApi::one(const std::string&);

void LinodeApi::must_be_an_answer(const HttpResponse& response) {
  if (response.status == 204 && response.body.empty()) return;
  try {
    (void)object_of(response.body);
  } catch (const Malformed& e) {
    throw Error(Kind::Transient, Api::unreadable(response, e.what()).what());
  }
}

void LinodeApi::change(const std::string& method, const std::string& path, const Json& body) {
  const HttpResponse response = api_.ask(request(method, path, body), Repeat::Changes);
  if (!well(response)) throw refusal(response);
  must_be_an_answer(response);
}

void LinodeApi::remove(const std::string& path) {
  const HttpResponse response = api_.ask(request("DELETE", path, nullptr), Repeat::Changes);
  if (!well(response) && response.status != 404) throw refusal(response);
  must_be_an_answer(response);
}

bool LinodeApi::label_is_taken(const HttpResponse& response) {
  if (response.status != 400) return false;
  const std::string said = reasons_of(response.body).value_or("");
  return said.find("label: ") != std::string::npos && said.find("nique") != std::string::npos;
}

HttpResponse LinodeApi::create(const std::string& path, const Json& body) {
  HttpResponse response = api_.ask(request("POST", path, body), Repeat::Changes);
  if (!well(response) && !label_is_taken(response)) throw refusal(response);
  must_be_an_answer(response);
  return response;
}

std::optional<LinodeInstance> LinodeApi::create_instance(const Json& body) {
  const HttpResponse response = create(kInstances, body);
  if (!well(response)) return std::nullopt;
  try {
    LinodeInstance made;
    read(object_of(response.body), made);
    return made;
  } catch (const Malformed& e) {
    throw Error(Kind::Transient, Api::unreadable(response, e.what()).what());
  }
}

bool LinodeApi::create_volume(const Json& body) {
  return well(create("/volumes", body));
}

void LinodeApi::set_tags(std::int64_t id, const std::vector<std::string>& tags) {
  change("PUT", path(id), {{"tags", tags}});
}

void LinodeApi::update_config(std::int64_t id, std::int64_t config, const Json& body) {
  change("PUT", path(id) + "/configs/" + std::to_string(config), body);
}

LinodePrice LinodeApi::volume_price() {
  return api_.look(request("GET", "/volumes/types", nullptr), [&](const HttpResponse& response) {
    if (!well(response)) return LinodePrice();
    return readable(response, [](const std::string& text) {
      const LinodePage page = page_of(text);
      return page.objects.empty() ? LinodePrice() : price_of(page.objects.front());
    });
  });
}

LinodeRights LinodeApi::rights() {
  return api_.look(request("GET", "/profile", nullptr), [&](const HttpResponse& response) {
    if (!well(response)) throw refusal(response);
    return readable(response, [&](const std::string& text) {
      const Json profile = object_of(text);
      const auto restricted = profile.find("restricted");
      if (restricted == profile.end() || !restricted->is_boolean()) throw Malformed("no profile");
      return LinodeRights{response.header("x-oauth-scopes").value_or(""), restricted->get<bool>()};
    });
  });
}

std::optional<bool> LinodeApi::available(const std::string& region, const std::string& type) {
  return api_.look(request("GET", "/regions/" + region + "/availability", nullptr),
                   [&](const HttpResponse& response) -> std::optional<bool> {
                     if (!well(response)) return std::nullopt;
                     return readable(response, [&](const std::string& text) -> std::optional<bool> {
                       const Json said = Json::parse(text, nullptr, false);
                       if (!said.is_array()) throw Malformed("no list");
                       for (const Json& one : said) {
                         if (!one.is_object() || one.value("plan", Json()) != Json(type)) continue;
                         const Json answer = one.value("available", Json());
                         return answer.is_boolean() ? std::optional(answer.get<bool>()) : std::nullopt;
                       }
                       return std::nullopt;
                     });
                   });
}

std::vector<LinodeEvent> LinodeApi::events(std::int64_t id, std::int64_t since) {
  Json filter = {{"entity.id", id}, {"entity.type", "linode"}, {"+order_by", "id"}, {"+order", "desc"}};
  if (since > 0) filter["id"] = {{"+gt", since}};
  return list<LinodeEvent>("/account/events", filter, true);
}

std::vector<LinodeAddress> LinodeApi::addresses(std::int64_t id) {
  return one<std::vector<LinodeAddress>>(path(id) + "/ips").value_or(std::vector<LinodeAddress>());
}

void LinodeApi::set_rdns(const std::string& address, const std::string& name) {
  change("PUT", "/networking/ips/" + address, {{"rdns", name}});
}

}  // namespace jarvis::providers
