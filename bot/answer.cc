#include "bot/answer.h"

#include "bot/commands.h"
#include "bot/log.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using pipeline::Error;
using pipeline::Kind;

namespace {

const char* result_word(int status) {
  switch (status) {
    case kRefused:
      return "refused";
    case kUsage:
      return "not understood";
    case kFailed:
      return "failed";
    case kCancelled:
      return "cancelled";
    case kUnfinished:
      return "unfinished";
    default:
      return "done";
  }
}

// What changes something is on record before it does; what only looks is not kept from its answer by a full disk.
bool recorded(House& house, Talk& talk, bool changes) {
  try {
    house.audit().write(talk.account(), changes ? Audit::Sync::Yes : Audit::Sync::No);
    return true;
  } catch (const Error& e) {
    log_error(e.what());
    return false;
  }
}

}  // namespace

boost::asio::awaitable<int> answer(House& house, Talk& talk, std::string said) {
  AuditRecord& account = talk.account();
  account.who = talk.asker().name;
  account.proof = talk.asker().shown;
  account.where = talk.asker().place;
  account.command = std::move(said);
  const bool changes = talk.invocation().row->changes;
  const auto because = talk.invocation().options.find("because");
  if (because != talk.invocation().options.end()) account.reason = because->second;
  int status = kFailed;
  try {
    const Verdict verdict = may(house.settings(), talk.asker(), {talk.invocation().row->name, {}, ""});
    // Whoever may order something may confirm it: what decides is found out with the code.
    const bool confirms = std::string(talk.invocation().row->name) == "confirm";
    if (!confirms) account.rule = verdict.rule;
    account.result = "asked";
    const bool begins = changes && (verdict.allowed || confirms);
    if (begins && !recorded(house, talk, true))
      throw Error(Kind::Permanent, "nothing is done without a record: the audit log cannot be written");
    status = co_await perform(house, talk);
  } catch (const Error& e) {
    talk.error((e.kind() == Kind::Refused ? "refused: " : "") + std::string(e.what()));
    status = exit_status_of(e);
    if (e.kind() == Kind::Refused) account.rule = e.what();
  } catch (const boost::system::system_error&) {
    throw;
  } catch (const std::exception& e) {
    talk.error(std::string("a fault in jarvis: ") + e.what());
  }
  account.result = result_word(status);
  recorded(house, talk, changes);
  co_return status;
}

}  // namespace jarvis::bot
