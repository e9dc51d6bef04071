#include "providers/linode_events.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "workers/digest.h"
#include "workers/printable.h"

namespace jarvis::providers {

using workers::Error;
using workers::Kind;

namespace {

namespace fs = std::filesystem;

constexpr auto kKept = std::chrono::hours(48);

std::string named(const LinodeInstance& machine) {
  return "linode " + machine.label + " (" + std::to_string(machine.id) + ")";
}

Error failure(const LinodeInstance& machine, const LinodeEvent& event) {
  return {Kind::Permanent, event.action + " of " + named(machine) + " failed" +
                               (event.message.empty() ? "" : ": " + workers::printable(event.message))};
}

void forget_old(const fs::path& directory) {
  std::error_code ignored;
  const auto now = fs::file_time_type::clock::now();
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    const auto written = entry.last_write_time(ignored);
    if (!ignored && now - written > kKept) fs::remove(entry.path(), ignored);
  }
}

}  // namespace

LinodeEvents::LinodeEvents(LinodeApi& api, const workers::Call& call)
    : api_(api), call_(call), directory_(fs::path(call.setting("DIR")) / "asked") {}

fs::path LinodeEvents::file_of(const LinodeInstance& machine, const std::string& action) const {
  return directory_ / workers::sha256_hex(call_.step + "\n" + action + "\n" + std::to_string(machine.id)).substr(0, 32);
}

void LinodeEvents::note(const fs::path& file, std::int64_t newest) const {
  std::error_code fault;
  fs::create_directories(directory_, fault);
  forget_old(directory_);
  std::ofstream out(file, std::ios::trunc);
  out << newest << '\n';
  out.close();
  if (!out) throw Error(Kind::Permanent, file.string() + ": cannot be written");
}

void LinodeEvents::again(const std::string& why) {
  call_.progress(why);
  workers::not_yet(why, poll_of(call_));
}

void LinodeEvents::again(const LinodeInstance& machine, const LinodeEvent& event) {
  again(named(machine) + ": " + event.action + " " + std::to_string(event.percent) + " %");
}

std::vector<LinodeEvent> LinodeEvents::wait_until_idle(const LinodeInstance& machine) {
  std::vector<LinodeEvent> events = api_.events(machine.id);
  for (const LinodeEvent& event : events) {
    if (event.under_way()) again(machine, event);
  }
  return events;
}

void LinodeEvents::must_not_have_failed(const LinodeInstance& machine, const std::vector<LinodeEvent>& events,
                                        const std::string& action) {
  for (const LinodeEvent& event : events) {
    if (event.action != action) continue;
    if (event.status == "failed") throw failure(machine, event);
    return;
  }
}

void LinodeEvents::follow(const LinodeInstance& machine, const std::string& action, const std::function<void()>& ask) {
  const fs::path file = file_of(machine, action);
  std::int64_t since = 0;
  const bool asked = static_cast<bool>(std::ifstream(file) >> since);
  for (int round = 0; round < 2; ++round) {
    const std::vector<LinodeEvent> events = api_.events(machine.id, since);
    const auto found =
        std::find_if(events.begin(), events.end(), [&](const LinodeEvent& one) { return one.action == action; });
    if (found != events.end() && found->under_way()) again(machine, *found);
    if ((asked || round > 0) && found != events.end()) {
      if (found->status != "failed") return;
      std::error_code ignored;
      fs::remove(file, ignored);
      throw failure(machine, *found);
    }
    if (round > 0) break;
    if (!asked) {
      for (const LinodeEvent& one : events) since = std::max(since, one.id);
      note(file, since);
    }
    ask();
  }
  again(named(machine) + ": " + action + " is asked for");
}

}  // namespace jarvis::providers
