// jarvis: the command. Reads the arguments, finds configuration and state, and either holds the state directory and
// carries the command itself, or hands it to the jarvis that holds it.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "bot/check.h"
#include "bot/commands.h"
#include "bot/holder.h"
#include "bot/log.h"
#include "bot/task_by_hand.h"
#include "pipeline/error.h"
#include "workers/rows.h"

namespace {

using namespace jarvis;
using namespace jarvis::bot;
using pipeline::Error;
using pipeline::Kind;
using namespace std::chrono_literals;

std::string home() {
  const char* value = std::getenv("HOME");
  return value != nullptr ? value : "/";
}

Settings settings_for(const Invocation& invocation) {
  Settings settings = !invocation.config.empty()
                          ? read_settings(invocation.config)
                          : read_first_settings({home() + "/.config/jarvis/jarvis.yaml", "/etc/jarvis/jarvis.yaml"});
  if (!invocation.state.empty()) settings.state = std::filesystem::absolute(invocation.state);
  if (settings.state.empty())
    settings.state = ::geteuid() == 0 ? std::string("/var/lib/jarvis") : home() + "/.local/state/jarvis";
  return settings;
}

std::string tasks_text(const Settings& settings) {
  std::string text;
  const pipeline::TaskTable table = task_table(settings);
  for (const auto& [name, row] : table.rows()) {
    std::string line = name;
    line.resize(std::max<std::size_t>(line.size() + 1, 24), ' ');
    text += line + (row->help.empty() ? row->stage : row->help);
    const auto list = [&](const char* what, const std::vector<std::string>& keys) {
      if (keys.empty()) return;
      text += std::string("\n") + std::string(24, ' ') + what;
      for (const std::string& key : keys) text += " " + key;
    };
    list("needs", row->needs);
    list("gives", row->gives);
    text += "\n";
  }
  if (!text.empty()) text.pop_back();
  return text;
}

// Holds the state directory, or talks to who does. Whoever holds it may be about to leave: then it is tried again.
int hold_or_talk(const Settings& settings, const Installation& installation, const FrontRequest& request) {
  const bool serve = std::string(request.invocation.row->name) == "serve";
  // Whoever only looks makes no state: a mistyped --state must not read as "all is well".
  const std::string command = request.invocation.row->name;
  std::error_code error;
  const bool begins = serve || command == "deploy" || command == "redeploy" || command == "plan" ||
                      command == "replay" || command == "adopt" || command == "providers";
  if (!begins && !std::filesystem::exists(settings.state, error)) {
    const std::string text =
        "no jarvis has worked in " + settings.state.string() + " yet (--state DIR or -c FILE names another state)";
    if (command != "status" || !request.invocation.words.empty()) throw Error(Kind::Usage, text);
    if (!request.invocation.json) std::printf("nothing is in flight: %s\n", text.c_str());
    return kDone;
  }
  StateDirectory state(settings.state);
  const auto until = std::chrono::steady_clock::now() + 60s;
  for (;;) {
    // Others talk to whoever holds it; alone they may not use it.
    if ((state.ours() || serve) && state.try_lock()) {
      if (serve) {
        return hold_and_serve(settings, installation, state,
                              [invocation = request.invocation] { return settings_for(invocation); });
      }
      return hold_for_command(settings, installation, state, request);
    }
    const int socket = connect_to(state.socket());
    if (socket >= 0 && serve) {
      // One that is on its way out still takes connections, but says nothing.
      pollfd hello{socket, POLLIN, 0};
      char byte = 0;
      const bool lives = ::poll(&hello, 1, 2000) == 1 && ::read(socket, &byte, 1) == 1;
      ::close(socket);
      if (lives) throw Error(Kind::Refused, "another jarvis holds " + state.path().string());
    } else if (socket >= 0) {
      hear_interrupts();
      const FrontResult result = converse(socket, request);
      if (result.begun) return result.status;
    } else if (!state.ours()) {
      throw Error(Kind::Refused, state.not_ours());
    }
    if (std::chrono::steady_clock::now() > until) {
      throw Error(Kind::Permanent, "somebody holds " + (state.path() / "lock").string() + " and does not answer at " +
                                       state.socket().string());
    }
    std::this_thread::sleep_for(5ms);  // the holder is coming or going; there is nothing to wait on in between
  }
}

int run(const std::vector<std::string>& arguments) {
  const FrontRequest request = make_request(arguments);
  const Invocation& invocation = request.invocation;
  const std::string command = invocation.row->name;
  if (command == "help" && (invocation.words.empty() || invocation.words[0] != "tasks")) {
    std::printf("%s\n", help_text(invocation.words.empty() ? "" : invocation.words[0]).c_str());
    return kDone;
  }
  const Settings settings = settings_for(invocation);
  if (command == "help") {
    std::printf("%s\n", tasks_text(settings).c_str());
    return kDone;
  }
  const Installation installation = Installation::beside(std::filesystem::read_symlink("/proc/self/exe"));
  open_log(settings, command != "serve");
  if (command == "check") return check_everything(settings, installation, invocation.json);
  if (command == "task") return run_task_by_hand(settings, installation, request);
  return hold_or_talk(settings, installation, request);
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const Error& e) {
    std::fprintf(stderr, "jarvis: %s%s\n", e.kind() == Kind::Refused ? "refused: " : "", e.what());
    return exit_status_of(e);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "jarvis: a fault in jarvis: %s\n", e.what());
    return kFailed;
  }
}
