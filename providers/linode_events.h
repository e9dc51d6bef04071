// Actions that Linode takes its time for: asked for once, followed by their events, never slept for. Between two
// attempts of a step a small file in LINODE_DIR/asked says which event was the newest before this step asked, so that
// an action that has ended, or failed, is told from one of yesterday. It is a hint: when it is lost the action is asked
// for once more. Owns nothing; blocks for the API's answers only.
#pragma once

#include <functional>

#include "providers/linode_api.h"

namespace jarvis::providers {

class LinodeEvents {
 public:
  LinodeEvents(LinodeApi& api, const workers::Call& call);

  // not_yet() while anything is under way with this Linode; progress says what and how far. Gives the newest events.
  std::vector<LinodeEvent> wait_until_idle(const LinodeInstance& machine);
  // Asks for the action unless this step did; returns when its event has ended well, not_yet() while it is under way,
  // Error(Permanent) with the event's words when it failed (a `retry` asks again).
  void follow(const LinodeInstance& machine, const std::string& action, const std::function<void()>& ask);
  // Error(Permanent) if the newest of these events of this action failed.
  static void must_not_have_failed(const LinodeInstance& machine, const std::vector<LinodeEvent>& events,
                                   const std::string& action);
  // Says so, and ends the attempt until LINODE_POLL is over.
  [[noreturn]] void again(const std::string& why);

 private:
  std::filesystem::path file_of(const LinodeInstance& machine, const std::string& action) const;
  void note(const std::filesystem::path& file, std::int64_t newest) const;
  [[noreturn]] void again(const LinodeInstance& machine, const LinodeEvent& event);

  LinodeApi& api_;
  const workers::Call& call_;
  std::filesystem::path directory_;
};

}  // namespace jarvis::providers
