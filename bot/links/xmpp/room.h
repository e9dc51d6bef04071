// What is known of one multi-user room (XEP-0045): whether we are in, under which nick, and who else is, with the real
// JID where the room shows it. A nick proves nothing, whatever it looks like; only the room's own statement of the real
// JID does. Pure: sends nothing, knows no library.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bot/links/xmpp/delay.h"

namespace jarvis::bot::links::xmpp {

class Room {
 public:
  Room(std::string jid, std::string nick, std::string password_file);

  const std::string& jid() const { return jid_; }
  const std::string& password_file() const { return password_file_; }
  const std::string& nick() const { return nick_; }  // the one we have, or ask for
  const std::string& wanted_nick() const { return wanted_; }
  bool is_in() const { return state_ == State::In; }
  bool is_asked() const { return state_ == State::Asked; }

  // Joining
  bool due(Time now) const { return state_ == State::Out && now >= next_try_; }
  Time next() const;   // when something is due: the next try, or giving up on an answer
  void ask(Time now);  // a join goes out
  bool is_late(Time now) const { return state_ == State::Asked && now >= give_up_; }
  bool another_nick();  // after a conflict: a nick to try at once; false: those are all taken
  void in(const std::string& nick, Time now);
  void renamed(const std::string& nick) { nick_ = nick; }
  // Refused, thrown out, or the room is gone: tried again after a growing delay; `slowly` when only a person can help.
  // Returns the real JIDs (by nick) of those who were seen there.
  std::map<std::string, std::string> out(Time now, bool slowly);

  // The others. `jid`: real bare JID, empty when the room does not show it.
  void see(const std::string& nick, const std::string& jid) { occupants_[nick] = jid; }
  std::string left(const std::string& nick);  // the JID that was known
  std::optional<std::string> identity(const std::string& nick) const;

  // Said once per reason; true when this one is new.
  bool is_news(const std::string& reason);

 private:
  enum class State { Out, Asked, In };

  std::string jid_, wanted_, nick_, password_file_, reason_;
  State state_ = State::Out;
  int tried_ = 0;
  GrowingDelay delay_;
  Time next_try_{}, give_up_{}, since_{};
  std::minstd_rand random_{std::random_device{}()};
  std::map<std::string, std::string> occupants_;
};

}  // namespace jarvis::bot::links::xmpp
