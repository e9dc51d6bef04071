#include "bot/by_hand.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <set>
#include <thread>

#include "bot/front.h"
#include "bot/house.h"
#include "pipeline/error.h"
#include "pipeline/unique_fd.h"

namespace jarvis::bot {

using pipeline::Error;
using pipeline::Kind;
using pipeline::Seal;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kPatience = std::chrono::seconds(60);
const std::set<std::string> kResults = {"asked", "done", "failed", "refused", "unfinished", "not understood"};

std::string command_of(const std::vector<std::string>& arguments) {
  std::string made;
  for (const std::string& one : arguments) made += (made.empty() ? "" : " ") + one;
  return made;
}

Seal key_of(const Settings& settings, const StateDirectory& state) {
  std::error_code error;
  const bool fresh = state.ours() && !std::filesystem::exists(state.journal(), error);
  try {
    return open_or_make_key(settings.key_path(), fresh);
  } catch (const Error& e) {
    return Seal::missing(e.what());
  }
}

// The next line; nothing when the other end is gone, or silent for too long.
std::optional<std::string> line_from(int socket, std::string& buffer, Clock::time_point until) {
  for (;;) {
    const std::size_t newline = buffer.find('\n');
    if (newline != std::string::npos) {
      std::string line = buffer.substr(0, newline);
      buffer.erase(0, newline + 1);
      return line;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd wait{socket, POLLIN, 0};
    if (left <= 0) return std::nullopt;
    if (::poll(&wait, 1, static_cast<int>(left)) <= 0) continue;
    char bytes[4096];
    const ssize_t n = ::read(socket, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::nullopt;
    buffer.append(bytes, static_cast<std::size_t>(n));
  }
}

std::vector<std::string> texts_in(const nlohmann::json& object, const char* key) {
  std::vector<std::string> made;
  for (const auto& one : object.value(key, nlohmann::json::array())) {
    const auto text = one.get<std::string>();
    if (!pipeline::valid_fqdn(text)) throw Error(Kind::Usage, "a record on the socket: " + text + " is no host");
    made.push_back(text);
  }
  return made;
}

}  // namespace

ByHand::ByHand(const Settings& settings, std::vector<std::string> arguments)
    : settings_(settings), arguments_(std::move(arguments)), state_(settings.state), seal_(key_of(settings, state_)) {
  if (state_.ours()) return;
  const pipeline::UniqueFd there(connect_to(state_.socket()));
  if (!there) throw Error(Kind::Refused, state_.not_ours());
}

// False: nobody was there, or he left before he had it.
bool ByHand::tell_holder(const AuditRecord& record, const std::string& provider) {
  const pipeline::UniqueFd socket(connect_to(state_.socket()));
  if (!socket) return false;
  const nlohmann::json request = {{"arguments", arguments_},
                                  {"record",
                                   {{"result", record.result},
                                    {"hosts", record.hosts},
                                    {"provider", provider},
                                    {"run", record.run},
                                    {"spec", record.spec},
                                    {"rule", record.rule}}}};
  const std::string text = request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) return false;
  std::string buffer, fault;
  const auto until = Clock::now() + kPatience;
  while (const auto line = line_from(socket.get(), buffer, until)) {
    const auto message = nlohmann::json::parse(*line, nullptr, false);
    if (!message.is_object()) continue;
    if (message.contains("error")) fault = message.value("error", "");
    if (!message.contains("exit")) continue;
    const int status = message.value("exit", 1);
    if (status == 0) return true;
    const std::string refused = "refused: ";
    const Kind kind = status == 3 ? Kind::Refused : status == 2 ? Kind::Usage : Kind::Permanent;
    throw Error(kind, fault.starts_with(refused) ? fault.substr(refused.size()) : fault);
  }
  return false;
}

void ByHand::write(AuditRecord record, const std::string& provider) {
  const auto until = Clock::now() + kPatience;
  for (;;) {
    if (state_.ours()) {
      StateDirectory mine(state_.path());  // its lock is free again when this goes
      if (mine.try_lock()) {
        const Asker asker = asker_of_uid(settings_, ::geteuid(), state_.owner());
        record.who = asker.name;
        record.proof = asker.shown;
        record.where = asker.place;
        record.command = command_of(arguments_);
        if (record.rule.empty()) record.rule = may(settings_, asker, {"task", {}, ""}).rule;
        return Audit(state_.path(), seal_).write(record, Audit::Sync::Yes);
      }
    }
    if (tell_holder(record, provider)) return;
    if (Clock::now() > until) {
      throw Error(Kind::Permanent, "nothing is done without a record: nobody at " + state_.socket().string() +
                                       " writes it into the audit log");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // the holder is coming or going
  }
}

void note_by_hand(House& house, const Session& session) {
  if (std::string(session.invocation().row->name) != "task")
    throw Error(Kind::Usage, "a record on the socket: only `task` is run by hand");
  AuditRecord record;
  const Asker& asker = session.asker();
  std::string provider;
  try {
    const nlohmann::json& given = session.record();
    record.result = given.value("result", "");
    record.hosts = texts_in(given, "hosts");
    record.run = given.value("run", "");
    record.spec = given.value("spec", "");
    if (record.result == "refused") record.rule = given.value("rule", "");
    provider = given.value("provider", "");
  } catch (const nlohmann::json::exception& e) {
    throw Error(Kind::Usage, std::string("a malformed record on the socket: ") + e.what());
  }
  if (kResults.count(record.result) == 0)
    throw Error(Kind::Usage, "a record on the socket: `" + record.result + "` is no result");
  record.who = asker.name;
  record.proof = asker.shown;
  record.where = asker.place;
  record.command = session.said();
  const Verdict verdict = may(house.settings(), asker, {"task", record.hosts, provider});
  if (!verdict.allowed || record.rule.empty()) record.rule = verdict.rule;
  if (!verdict.allowed) record.result = "refused";
  house.audit().write(record, Audit::Sync::Yes);
  if (!verdict.allowed) throw Error(Kind::Refused, verdict.rule);
}

}  // namespace jarvis::bot
