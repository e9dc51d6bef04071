#include "bot/task_by_hand.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "bot/by_hand.h"
#include "bot/commands.h"
#include "bot/one_off.h"
#include "pipeline/error.h"
#include "pipeline/plan.h"
#include "pipeline/spec.h"

namespace jarvis::bot {

using pipeline::Clipboard;
using pipeline::Error;
using pipeline::Kind;
using pipeline::Outcome;

namespace {

std::string read_standard_input() {
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(0, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw pipeline::system_error("reading the clipboard from standard input");
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > (8U << 20U)) throw Error(Kind::Usage, "the clipboard on standard input is larger than 8 MiB");
  }
}

std::string from_environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// What destroys asks, however it is reached. Standard input is the clipboard, so the person is asked at /dev/tty.
bool really(const pipeline::TaskRow& row, const std::string& host) {
  std::FILE* terminal = std::fopen("/dev/tty", "r+e");
  if (terminal == nullptr) return false;
  std::fprintf(terminal, "%s deletes the machine of %s. really? (yes/no) ", row.name.c_str(), host.c_str());
  char answer[16] = {};
  const bool read = std::fgets(answer, sizeof answer, terminal) != nullptr;
  std::fclose(terminal);
  return read && std::string(answer) == "yes\n";
}

// Without a terminal: a code that only this state's key makes for this task and this clipboard, good for five minutes.
void need_confirmation(const pipeline::Seal& seal, const pipeline::TaskRow& row, const Clipboard& board,
                       const Invocation& invocation) {
  const auto minutes =
      std::chrono::duration_cast<std::chrono::minutes>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto code = [&](long long minute) {
    return seal.code("task " + row.name + "\n" + board.text() + std::to_string(minute), 6);
  };
  const auto given = invocation.options.find("confirm");
  if (given != invocation.options.end()) {
    for (long long ago = 0; ago <= 5; ++ago) {
      if (given->second == code(minutes - ago)) return;
    }
    throw Error(Kind::Refused, "--confirm " + given->second +
                                   ": not the code for this task and clipboard, or older than five minutes");
  }
  const std::string host = board.scalar("fqdn").value_or("?");
  if (really(row, host)) return;
  std::fprintf(stderr,
               "%s deletes the machine of %s; to confirm, the same again within five minutes with\n  --confirm %s\n",
               row.name.c_str(), host.c_str(), code(minutes).c_str());
  throw int(kUnfinished);
}

// The clipboard as it came, and as the task gets it.
struct Boards {
  Clipboard given, opened;
  bool sealed() const { return given.text().find("!sealed ") != std::string::npos; }
};

Boards read_boards(const pipeline::Seal& seal) {
  Boards made{[] {
                try {
                  return Clipboard::parse(read_standard_input());
                } catch (Error& e) {
                  throw e.within("standard input, where the clipboard is expected");
                }
              }(),
              Clipboard::parse("{}")};
  made.opened = made.sealed()
                    ? Clipboard::parse(pipeline::open_sealed(
                          made.given.text(), [&](std::string_view text) { return seal.open_text(text, kShownAbout); }))
                    : made.given;
  return made;
}

}  // namespace

namespace {

int attempt(const Settings& settings, const pipeline::TaskTable& table, const Installation& installation,
            const pipeline::Row& row, const Boards& boards, const std::string& run, const pipeline::Seal& seal) {
  const Clipboard& board = boards.opened;
  const pipeline::AttemptNames names{run, from_environment("JARVIS_STEP", run + ".0"), 1,
                                     from_environment("JARVIS_MODE", "apply") == "plan"};
  OneOff one_off(settings, table, installation, seal);
  const pipeline::AttemptResult result = one_off.attempt(*row, names, board.text());
  pipeline::Blanker blanker(one_off.shop().is_secret());
  blanker.learn(board.text());
  const std::string log = blanker.lines(result.log);
  std::fwrite(log.data(), 1, log.size(), stderr);
  if (result.signal != 0 || (result.outcome != Outcome::Succeeded && result.exit_status == 0))
    std::fprintf(stderr, "%s: %s\n", row->name.c_str(), result.why.c_str());
  if (result.signal != 0) return 128 + result.signal;
  if (result.outcome != Outcome::Succeeded)
    return result.exit_status != 0 ? result.exit_status : static_cast<int>(kFailed);
  const bool kept = Clipboard::blank(result.output);
  if (!kept) {
    try {
      const pipeline::Facts facts = one_off.check(result.output);
      if (facts.fqdn != board.scalar("fqdn").value_or("") || facts.hostname != board.scalar("hostname").value_or(""))
        throw Error(Kind::Usage, "it changed hostname or fqdn");
    } catch (const Error& e) {
      std::fprintf(stderr, "%s: what it printed is not the clipboard: %s\n", row->name.c_str(), e.what());
      return kFailed;
    }
  }
  // What came with sealed secrets goes out so, too.
  const std::string& text = kept ? board.text() : result.output;
  const std::string shown =
      boards.sealed()
          ? pipeline::show_sealed(text, one_off.shop().is_secret(),
                                  [&](std::string_view plain) { return seal.seal_text(plain, kShownAbout); })
          : text;
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  return kDone;
}

// What is wrong is in the log, too.
template <typename Made>
Made noted(ByHand& by_hand, AuditRecord& record, const std::string& provider, const std::function<Made()>& make) {
  try {
    return make();
  } catch (const Error& e) {
    record.result = e.kind() == Kind::Refused ? "refused" : e.kind() == Kind::Usage ? "not understood" : "failed";
    if (e.kind() == Kind::Refused) record.rule = e.what();
    by_hand.write(record, provider);
    throw;
  }
}

}  // namespace

int run_task_by_hand(Settings settings, const Installation& installation, const FrontRequest& request) {
  const Invocation& invocation = request.invocation;
  const pipeline::TaskTable table = task_table(settings);
  ByHand by_hand(settings, request.arguments);
  const pipeline::Seal& seal = by_hand.seal();
  AuditRecord record;
  std::string provider;
  const pipeline::Row row = noted<pipeline::Row>(by_hand, record, provider, [&] {
    pipeline::Row found = table.require(invocation.words.at(0));
    const std::string why = found->executable.empty() ? "" : pipeline::why_not_runnable(found->executable);
    if (!why.empty()) throw Error(Kind::Usage, found->name + ": " + found->executable + ": " + why);
    return found;
  });
  const Boards boards = noted<Boards>(by_hand, record, provider, [&] {
    Boards read = read_boards(seal);
    record.spec = pipeline::digest(read.given.text());
    const std::string host = read.opened.scalar("fqdn").value_or("");
    if (pipeline::valid_fqdn(host)) record.hosts = {host};
    provider = read.opened.scalar("provider").value_or("");
    for (const std::string& need : row->needs) {
      if (!read.opened.has(need))
        throw Error(Kind::Usage, row->name + " needs `" + need + "`, which is not on this clipboard");
    }
    return read;
  });
  const std::string run = from_environment("JARVIS_RUN", "hand-" + pipeline::random_word(6));
  record.run = run;
  record.result = "asked";
  by_hand.write(record, provider);
  record.result = "failed";
  const int status = noted<int>(by_hand, record, provider, [&] {
    try {
      if (row->destroys) need_confirmation(seal, *row, boards.opened, invocation);
    } catch (const int unconfirmed) {
      record.result = "unfinished";
      return unconfirmed;
    }
    const int ended = attempt(settings, table, installation, row, boards, run, seal);
    if (ended == kDone) record.result = "done";
    return ended;
  });
  by_hand.write(record, provider);
  return status;
}

}  // namespace jarvis::bot
