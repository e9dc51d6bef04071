// Which machines, volumes and addresses no run accounts for. The decision is pure; what it needs to know of a host is
// read from the journal, which blocks shortly.
//
// A run accounts for what its host's newest run that ended well has on its clipboard: the machine by its instance_id,
// what hangs on that machine, and whatever else that clipboard names by its id. While a run of the host is in flight
// nothing of the host is an orphan.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "bot/house.h"
#include "bot/listed.h"

namespace jarvis::bot {

// What the journal knows of a host.
struct Account {
  struct Ended {
    std::string run, operation, provider;
  };
  bool in_flight = false;       // pending, confirming, under way, interrupted
  std::optional<Ended> newest;  // the newest run that has ended
  std::optional<Ended> well;    // the newest that ended well
  // Of that one's clipboard. Nothing: it could not be opened, so that nobody can tell.
  std::optional<std::set<std::string>> values;
  std::string instance_id;
};

// Why no run accounts for it; nothing: one does.
std::optional<std::string> orphan_because(const Thing& thing, const Account& account);

Account account_of(House& house, const std::string& host);

// The host that a thing is of: its mark, or where a provider had to shorten that one, the host of its run.
std::string host_of(House& house, const Thing& thing);

}  // namespace jarvis::bot
