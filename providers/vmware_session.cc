#include "providers/vmware_session.h"

#include <cstdlib>

#include "providers/vmware_faults.h"
#include "workers/http_url.h"
#include "workers/printable.h"

namespace jarvis::providers::vmware {

using pipeline::Error;
using pipeline::Kind;
using workers::Call;
using workers::HttpRequest;
using workers::HttpResponse;

namespace {

constexpr std::size_t kMostBytes = 32U << 20U;
constexpr double kCallsPerSecond = 20;

std::string url_of(const Call& call) {
  const workers::Url url = workers::parse_url(call.setting("URL"));
  return url.path.empty() || url.path == "/" ? url.origin() + "/sdk" : url.text();
}

ApiAccess access_of(const Call& call) {
  const double rate = std::strtod(call.setting("RATE", "").c_str(), nullptr);
  ApiAccess access;
  access.ca_file = call.setting("CA_FILE", "");
  access.pace = std::filesystem::path(call.setting("DIR")) / "pace";
  access.per_second = rate > 0 ? rate : kCallsPerSecond;
  access.burst = 2 * access.per_second;
  access.words = [](const HttpResponse& response) { return words_of(response.body); };
  access.is_refusal = [](const HttpResponse& response) { return response.status == 500 && is_refusal(response.body); };
  return access;
}

// The pair of the session's cookie, as it is sent back (RFC 6265 section 4.2).
std::string cookie_of(const HttpResponse& response) {
  for (const auto& [name, value] : response.headers)
    if (name == "set-cookie" && value.starts_with("vmware_soap_session=")) return value.substr(0, value.find(';'));
  return {};
}

}  // namespace

Session::Session(const Call& call)
    : url_(url_of(call)),
      user_(call.setting("USER")),
      password_(call.setting("PASSWORD")),
      server_(workers::parse_url(url_).authority()),
      api_(access_of(call)) {}

Session::~Session() {
  if (generation_ == 0 || cookie_.empty()) return;
  limit_ = std::chrono::seconds(5);
  try {
    (void)ask("Logout", service_->session_manager, Xml(), Repeat::Changes);
  } catch (const Error&) {
    // It ends by itself, half an hour later.
  }
}

Answer Session::answer_of(const char* method, const HttpResponse& response) {
  if (response.status != 200 && response.status != 500) throw api_.refusal(response);
  auto answer = read_answer(method, response.body);
  if (!answer) throw Api::unreadable(response, std::string("no SOAP answer to ") + method);
  const std::string cookie = cookie_of(response);
  if (!cookie.empty()) cookie_ = cookie;
  return std::move(*answer);
}

Answer Session::ask(const char* method, const Reference& self, const Xml& arguments, Repeat repeat) {
  HttpRequest request;
  request.method = "POST";
  request.url = url_;
  request.headers = {{"Content-Type", "text/xml; charset=utf-8"}, {"SOAPAction", kSoapAction}};
  if (!cookie_.empty()) request.headers.emplace_back("Cookie", cookie_);
  request.body = envelope(method, self, arguments);
  request.limit = limit_;
  request.most_bytes = kMostBytes;
  if (repeat == Repeat::Looks)
    return api_.look(request, [&](const HttpResponse& response) { return answer_of(method, response); });
  try {
    return answer_of(method, api_.ask(request, repeat));
  } catch (const Api::Unreadable& e) {
    throw Error(Kind::Transient, e.what());  // it may have been done: whoever asks again looks first
  }
}

// What needs no session: a server that wants one all the same will not change its mind.
Answer Session::ask_stranger(const char* method, const Reference& self, const Xml& arguments) {
  try {
    return ask(method, self, arguments, Repeat::Looks);
  } catch (const Fault& e) {
    if (!e.is("NotAuthenticated")) throw;
    throw Error(Kind::Permanent, server_ + " wants a session before " + method + ": " + e.what());
  }
}

const Service& Session::service() {
  if (service_) return *service_;
  const Answer answer = ask_stranger("RetrieveServiceContent", {"ServiceInstance", "ServiceInstance"}, Xml());
  const pugi::xml_node content = answer.returned();
  Service made;
  made.vcenter = text(content, "about/apiType") == "VirtualCenter";
  made.shown = workers::printable(text(content, "about/fullName"), 80);
  made.root_folder = reference(content, "rootFolder");
  made.property_collector = reference(content, "propertyCollector");
  made.view_manager = reference(content, "viewManager");
  made.session_manager = reference(content, "sessionManager");
  made.authorization_manager = reference(content, "authorizationManager");
  made.task_manager = reference(content, "taskManager");
  made.file_manager = reference(content, "fileManager");
  made.virtual_disk_manager = reference(content, "virtualDiskManager");
  for (const Reference* needed :
       {&made.root_folder, &made.property_collector, &made.view_manager, &made.session_manager})
    if (!*needed)
      throw Error(Kind::Permanent, server_ + " is no vSphere server: its ServiceContent lacks what every one has");
  service_ = made;
  return *service_;
}

void Session::log_in() {
  const Reference sessions = service().session_manager;
  cookie_.clear();
  try {
    const Answer answer = ask_stranger("Login", sessions, Xml().leaf("userName", user_).leaf("password", password_));
    key_ = text(answer.returned(), "key");
  } catch (const Fault& e) {
    if (!e.is("InvalidLogin")) throw;
    throw Error(Kind::Permanent,
                server_ + " refuses the login of " + user_ +
                    ": `user` or `password_file` of providers.vmware is wrong, or the account is locked");
  }
  ++generation_;
}

const std::string& Session::key() {
  if (generation_ == 0) log_in();
  return key_;
}

Answer Session::call(const char* method, const Reference& self, const Xml& arguments, Repeat repeat) {
  if (generation_ == 0) log_in();
  const auto with_context = [&](Fault fault) {
    fault.within(server_ + " " + method);
    return fault;
  };
  try {
    return ask(method, self, arguments, repeat);
  } catch (const Fault& e) {
    if (!e.is("NotAuthenticated")) throw with_context(e);
  }
  log_in();  // refused, so it was not done
  try {
    return ask(method, self, arguments, repeat);
  } catch (const Fault& e) {
    if (!e.is("NotAuthenticated")) throw with_context(e);
    throw Error(Kind::Permanent, server_ + " lets " + user_ + " log in and then ends the session at once: " + e.what());
  }
}

}  // namespace jarvis::providers::vmware
