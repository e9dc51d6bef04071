// The audit log: every command, allowed or refused, one JSON object a line in STATE/audit.log (docs/access.md), and to
// syslog. Each record holds the hash of the line before; the hash of the last one stands, made with this state's key,
// in STATE/audit.head: whoever changes or cuts the log is found out, also if jarvis goes on writing to it afterwards.
// Without the key the head stays as it is, and the end of the log cannot be verified. It outlives the journal. Loop's
// thread.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bot/audit_reading.h"
#include "bot/syslog_lines.h"
#include "pipeline/seal.h"
#include "pipeline/unique_fd.h"

namespace jarvis::bot {

// What there is to know of a command; empty: does not apply.
struct AuditRecord {
  std::string who, proof, where, command;  // as shown, as proven, as typed
  std::vector<std::string> hosts;
  std::string spec, plan;  // digests
  std::string run;
  std::string rule;    // what allowed or refused it
  std::string reason;  // as the person gave it
  std::vector<std::string> approvers;
  std::string result;  // "asked", "done", "refused", "failed", "ignored"
};

class Audit {
 public:
  // Opens or makes the files, mode 0600. Blocks for the disk.
  Audit(const std::filesystem::path& state, const pipeline::Seal& seal);

  enum class Sync { No, Yes };
  // Appends. With Sync::Yes it is on disk when it returns (blocks about 1 ms): for what changes something. Error when
  // it cannot be written.
  void write(const AuditRecord& record, Sync sync);

  // What stands in it now, for whoever wants to read all of it: that takes long and is not done in the loop.
  AuditReading reading() const;

 private:
  // Nothing without the key.
  std::optional<std::string> head_of(const std::string& hash) const;
  void write_head();

  std::filesystem::path file_, head_file_;
  const pipeline::Seal& seal_;
  pipeline::UniqueFd log_, head_;
  SyslogLines syslog_;
  bool syslog_behind_ = false;  // the last record was not taken there
  std::string last_;            // hash of the last line; kBroken: what is there is not what jarvis wrote
};

}  // namespace jarvis::bot
