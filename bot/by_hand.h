// What is run by hand (`jarvis task`) is in the audit log like every other command. It runs in the person's own
// process, but the log has one writer at a time: whoever holds the state directory. So a record goes to that jarvis
// over the socket ({"arguments": [...], "record": {...}}, docs/socket.md), which knows by the uid who it is and whether
// he may; when nobody holds the directory, this process does for as long as writing takes. Blocks.
#pragma once

#include <string>

#include "bot/audit.h"
#include "bot/session.h"
#include "bot/settings.h"
#include "bot/state_directory.h"

namespace jarvis::bot {

class House;

class ByHand {
 public:
  // `arguments`: the command line. Makes the state directory, and its key, if there is none. Error(Refused) when it is
  // another's and nobody there lets us in.
  ByHand(const Settings& settings, std::vector<std::string> arguments);

  // Key of this state, or one that says why there is none.
  const pipeline::Seal& seal() const { return seal_; }

  // On disk when it returns. "asked" is refused, with the rule, when this person may not. `provider`: of the clipboard.
  // Error(Permanent) when it cannot be written: then nothing may be done.
  void write(AuditRecord record, const std::string& provider);

 private:
  bool tell_holder(const AuditRecord& record, const std::string& provider);

  const Settings& settings_;
  std::vector<std::string> arguments_;
  StateDirectory state_;
  pipeline::Seal seal_;
};

// The holder's end: writes the record that the session brought. Error(Refused) with the rule, Error(Usage) when it is
// none.
void note_by_hand(House& house, const Session& session);

}  // namespace jarvis::bot
