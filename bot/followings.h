// Who wants to hear more of a host than its end, and who wants to hear less: `follow` and `quiet`, per person. Kept as
// a note of the journal, so that a restart forgets nobody. Loop's thread; changing blocks for the disk.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bot/whence.h"
#include "pipeline/journal.h"

namespace jarvis::bot {

struct Following {
  std::string person, host;
  bool quiet = false;  // else: every stage
  Whence where;        // where it was said: there it is told
};

// Somebody who did something to a run that another one had ordered.
struct Listener {
  Whence where;
  std::string command;  // what he did
};

class Followings {
 public:
  explicit Followings(pipeline::Journal& journal);

  // Replaces what this person said of this host before.
  void set(Following following);
  // All that concern a host.
  std::vector<Following> of(const std::string& host) const;
  bool quiet(const std::string& person, const std::string& host) const;
  bool empty() const { return all_.empty(); }

  // He is told its end, too. Until a restart.
  void add_listener(const std::string& run, Listener listener);
  std::vector<Listener> take_listeners(const std::string& run);

 private:
  pipeline::Journal& journal_;
  std::vector<Following> all_;
  std::map<std::string, std::vector<Listener>> listeners_;  // by run
};

}  // namespace jarvis::bot
