#include "workers/monitoring.h"

#include "workers/program.h"

namespace jarvis::workers {

namespace {

constexpr int kNotYet = 75;  // the workers' own convention (CONTRACTS §1) serves hooks as well

void log_lines(const Call& call, const std::string& text) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    call.log(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

void run_hook(const Call& call, const std::string& variable, const std::string& setting) {
  const std::string fqdn = call.clipboard.require("fqdn");
  const std::string program = call.setting(variable, "");
  if (program.empty())
    return call.log("nothing to do for " + fqdn + ": the configuration names no " + setting + " program");
  if (!program.starts_with('/')) throw Error(Kind::Usage, setting + ": `" + program + "` is not an absolute path");
  call.progress("running " + program + " " + fqdn);
  const ProgramResult result = run_program(
      {program, fqdn}, {}, {"JARVIS_RUN=" + call.run, "JARVIS_STEP=" + call.step, "JARVIS_TASK=" + call.task});
  log_lines(call, result.output);
  if (result.exit_status == 0) return;
  throw Error(result.exit_status == kNotYet ? Kind::Transient : Kind::Permanent,
              program + " " + fqdn + " (" + setting + ") ended with status " + std::to_string(result.exit_status));
}

}  // namespace

void silence(Call& call) {
  run_hook(call, "SILENCE", "monitoring.silence");
}
void unsilence(Call& call) {
  run_hook(call, "UNSILENCE", "monitoring.unsilence");
}

}  // namespace jarvis::workers
