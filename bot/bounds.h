// How many runs somebody may have in flight at once (`runs:` of his role). Counted by the person's own name, whichever
// way he came, and by host, which has one run at a time: those that the pipeline knows, and orders that are on their
// way to it. Owned by the house; loop's thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "bot/settings.h"
#include "pipeline/pipeline.h"

namespace jarvis::bot {

class Bounds {
 public:
  explicit Bounds(pipeline::Pipeline& pipeline) : pipeline_(pipeline) {}

  // An order on its way: it counts until this goes, when the pipeline knows the run, or there is none.
  class Place {
   public:
    Place(Bounds& bounds, std::string person, std::string host);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    Bounds& bounds_;
    std::string person_, host_;
  };
  // Error(Refused) when the role does not let this person have one more. `role`: nullptr, no bound; not kept.
  void check(const Role* role, const std::string& person, const std::string& host) const;

 private:
  pipeline::Pipeline& pipeline_;
  std::map<std::string, std::multiset<std::string>> on_their_way_;  // by person: hosts
};

}  // namespace jarvis::bot
