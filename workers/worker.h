// What a built-in task sees of the world. A task is a plain blocking function; it runs alone in a process of its own,
// top-down, and may take its time. It is asked again after a crash at any point, so it looks first and changes only
// what is not yet so (check, then apply).
//
//   reads   call.clipboard, call.setting("ADDRESSES")
//   writes  call.clipboard (printed whole when the task returns and it was changed)
//   says    call.progress("3 of 5 mounted") to `status`; call.log(...) to the attempt's log; call.change(...) in plan
//   mode ends    by returning: done. throw Error(Transient): exit 75, asked again after retry_after().
//           any other exception: exit 1, its text is the worker's last words.
//
// Does not know the journal, the loop, or other tasks.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/clipboard.h"
#include "pipeline/error.h"

namespace jarvis::workers {

using pipeline::Clipboard;
using pipeline::Error;
using pipeline::Kind;

struct Call {
  std::string task;  // module:task
  std::string run;   // JARVIS_RUN
  std::string step;  // JARVIS_STEP: the idempotency key, the same over retries and restarts
  int attempt = 1;
  bool plan = false;  // JARVIS_MODE=plan: change nothing, say change() for each thing that would change
  Clipboard clipboard;

  // The value that the configuration grants to this module: environment variable MODULE_NAME, e.g. "DIR" of local is
  // LOCAL_DIR. setting() throws Error(Usage) naming the configuration key when it is not there.
  std::string setting(std::string_view name) const;
  std::string setting(std::string_view name, std::string_view otherwise) const;
  // One that is a list: what stands between blanks. Empty if it is not there.
  std::vector<std::string> setting_list(std::string_view name) const;

  // One line each on stderr; control characters are replaced. Never pass a secret.
  void progress(std::string_view text) const;
  void log(std::string_view text) const;
  void change(std::string_view text) const;
  // In plan mode: what making it costs a month ("cost: 5.00 USD"); what a role may spend is compared with it.
  void cost(double monthly, std::string_view currency) const;
};

// Not yet: the attempt ends with exit 75 and the task is asked again after the delay, without holding a process.
[[noreturn]] void not_yet(std::string_view why, std::chrono::milliseconds delay);

using TaskFunction = void (*)(Call&);

struct BuiltIn {
  const char* name;  // module:task, as in rows.cc
  TaskFunction function;
  bool checks_input = false;  // the loop hands out checked clipboards only; its own check wants the whole of it
};

}  // namespace jarvis::workers
