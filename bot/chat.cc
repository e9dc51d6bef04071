#include "bot/chat.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "bot/address.h"
#include "bot/answer.h"
#include "bot/chat_talk.h"
#include "bot/commands.h"
#include "bot/links/wire.h"
#include "bot/log.h"
#include "bot/together.h"
#include "pipeline/error.h"

namespace jarvis::bot {

namespace asio = boost::asio;
using asio::awaitable;
using pipeline::Error;
using pipeline::Kind;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kMostKept = 200, kMostSenders = 10'000;
constexpr std::size_t kLongestCommand = 4096;
constexpr int kMostAtOnce = 1000;  // commands being obeyed

bool same(const LinkSettings& a, const LinkSettings& b) {
  return a.kind == b.kind && a.run == b.run && a.config == b.config && a.prefix == b.prefix;
}

std::string text_in(const nlohmann::json& event, const char* key) {
  const auto found = event.find(key);
  return found != event.end() && found->is_string() ? links::clean_text(found->get<std::string>()) : "";
}

// What it takes to be somebody there.
std::string missing_proof(const Whence& whence, LinkSettings::Kind kind) {
  if (!whence.identity.empty()) return whence.identity + " is nobody's in the configuration";
  switch (kind) {
    case LinkSettings::Kind::Irc:
      return whence.link + " shows neither a services account nor a certificate of yours";
    case LinkSettings::Kind::Xmpp:
      return "this room does not show me your JID, a direct message does";
    case LinkSettings::Kind::Other:
      return whence.link + " proves nothing of you";
  }
  return "";
}

std::string key_of(const std::string& link, const std::string& sender) {
  return link + "\n" + sender;
}

}  // namespace

Chat::Chat(asio::io_context& loop, House& house) : loop_(loop), house_(house) {}
Chat::~Chat() = default;

void Chat::arrange() {
  std::map<std::string, std::shared_ptr<Link>> wanted;
  for (const LinkSettings& settings : house_.settings().links) {
    const auto there = links_.find(settings.name);
    if (there != links_.end() && same(there->second->settings(), settings)) {
      wanted[settings.name] = there->second;
      continue;
    }
    wanted[settings.name] =
        std::make_shared<Link>(loop_, settings, program_of(settings, house_.installation().forkservers),
                               [this](Link& link, const nlohmann::json& event) { heard(link, event); });
  }
  std::vector<std::shared_ptr<Link>> old;
  for (const auto& [name, link] : links_) {
    if (wanted.count(name) == 0 || wanted[name] != link) old.push_back(link);
  }
  for (const auto& [name, link] : wanted) {
    const auto there = links_.find(name);
    if (there == links_.end()) link->start();
    // One takes the other's place on the network: not before that one has left.
    if (there != links_.end() && there->second != link) {
      const auto stop_and_start = [](std::shared_ptr<Link> before, std::shared_ptr<Link> after) -> awaitable<void> {
        co_await before->stop();
        after->start();
      };
      asio::co_spawn(loop_, stop_and_start(there->second, link), asio::detached);
      std::erase(old, there->second);
    }
  }
  for (const auto& link : old) asio::co_spawn(loop_, link->stop(), [link](std::exception_ptr) {});
  links_ = std::move(wanted);
}

awaitable<void> Chat::stop() {
  stopping_ = true;
  std::vector<awaitable<void>> work;
  for (const auto& [name, link] : links_) work.push_back(link->stop());
  co_await together(std::move(work));
  // Their coroutines use house and chat, which are gone after this.
  asio::steady_timer tick(loop_);
  while (obeying_ > 0) {
    tick.expires_after(std::chrono::milliseconds(10));
    co_await tick.async_wait(asio::use_awaitable);
  }
}

Link* Chat::find(const std::string& name) const {
  const auto found = links_.find(name);
  return found != links_.end() ? found->second.get() : nullptr;
}

std::string Chat::nick_on(const std::string& link) const {
  const Link* found = find(link);
  return found != nullptr && !found->nick().empty() ? found->nick() : "jarvis";
}

std::string Chat::direct_place(const Whence& whence) const {
  const Link* link = find(whence.link);
  const bool occupant = link != nullptr && link->settings().kind == LinkSettings::Kind::Xmpp && !whence.direct;
  return occupant ? whence.place + "/" + whence.sender : whence.sender;  // RFC 7702: ROOM/NICK
}

bool Chat::reaches(const Whence& whence) const {
  const Link* link = find(whence.link);
  return link != nullptr && link->up();
}

void Chat::tell(const Whence& whence, const std::string& text, Link::Then then) {
  Link* link = find(whence.link);
  if (link == nullptr) return;  // not in the configuration any more
  if (!link->up()) return keep({whence, text, false, std::move(then)});
  const std::string line = as_said_in_chat(links::clean_text(text), nick_on(whence.link), whence.direct);
  const std::vector<std::string> pieces = links::split_text(line, link->limit());
  for (const std::string& piece : pieces) {
    // The last one stands for all: a link says them in their order.
    const bool last = &piece == &pieces.back();
    const bool taken =
        link->send({{"type", "say"},
                    {"place", whence.place},
                    {"to", whence.direct || whence.sender.empty() ? nlohmann::json() : nlohmann::json(whence.sender)},
                    {"text", piece}},
                   last ? then : Link::Then());
    if (taken) continue;
    log_warning("link " + whence.link + " does not read: something for " + whence.shown() + " is lost");
    if (!last && then) then(false);
    return;
  }
}

void Chat::tell_late(const Whence& whence, const std::string& text, Link::Then then) {
  Link* link = find(whence.link);
  if (link == nullptr) return;
  if (!link->up()) return keep({whence, text, true, std::move(then)});
  if (!whence.direct) return tell(whence, text, std::move(then));
  auto& waiting = to_be_proven_[key_of(whence.link, whence.sender)];
  waiting.push_back({whence, text, true, std::move(then)});
  if (waiting.size() == 1) link->send({{"type", "ask_identity"}, {"place", whence.place}, {"sender", whence.sender}});
  if (waiting.size() <= kMostKept) return;
  const Held oldest = std::move(waiting.front());
  waiting.erase(waiting.begin());
  oldest.settle(false);
}

void Chat::presence(const std::string& text) {
  if (text == presence_) return;
  presence_ = text;
  for (const auto& [name, link] : links_) {
    if (link->up()) link->send({{"type", "presence"}, {"text", presence_}});
  }
}

void Chat::keep(Held held) {
  auto& kept = kept_[held.whence.link];
  kept.push_back(std::move(held));
  if (kept.size() <= kMostKept) return;
  const Held oldest = std::move(kept.front());
  kept.pop_front();
  oldest.settle(false);
}

void Chat::say_kept(Link& link) {
  for (Held& held : std::exchange(kept_[link.name()], {})) {
    // Who comes back may find somebody else under the nick that asked.
    const bool prove = held.late || held.whence.direct;
    if (prove) tell_late(held.whence, held.text, held.then);
    if (!prove) tell(held.whence, held.text, held.then);
  }
}

void Chat::heard(Link& link, const nlohmann::json& event) {
  const std::string type = event["type"];
  // One that a new configuration took out, or replaced, has nothing to say any more.
  if (type != "down" && find(link.name()) != &link) return;
  if (type == "up") {
    log_info("link " + link.name() + ": up, as " + link.nick());
    if (!presence_.empty()) link.send({{"type", "presence"}, {"text", presence_}});
    say_kept(link);
    if (on_up_) on_up_();
  } else if (type == "down") {
    log_warning("link " + link.name() + ": down: " + text_in(event, "why"));
    // Whoever was to be proven is asked again when it is back.
    for (auto& [key, waiting] : to_be_proven_) {
      for (Held& held : waiting) {
        if (held.whence.link == link.name()) keep(std::move(held));
      }
    }
    std::erase_if(to_be_proven_, [&](const auto& one) { return one.first.starts_with(link.name() + "\n"); });
  } else if (type == "message") {
    heard_message(link, event);
  } else if (type == "identity") {
    heard_identity(link, event);
  } else if (type == "gone") {
    heard_gone(link, event);
  }
}

Asker Chat::asker_of(const Whence& whence) const {
  Asker made;
  made.place = whence.shown();
  const Person* person = person_of(house_.settings(), whence.link, whence.identity, whence.proof);
  const std::string proof = whence.identity.empty()
                                ? "nothing proves who it is"
                                : (whence.proof.empty() ? "identity" : whence.proof) + " " + whence.identity;
  made.person = made.name = person != nullptr ? person->name : "";
  made.shown = (person != nullptr ? person->name : whence.sender) + " (" + whence.link + " " + proof + ")";
  const Link* link = find(whence.link);
  if (person == nullptr && link != nullptr) made.missing = missing_proof(whence, link->settings().kind);
  return made;
}

void Chat::note_ignored(const Whence& whence, const std::string& command, const std::string& why) {
  AuditRecord record;
  const Asker asker = asker_of(whence);
  record.who = asker.name;
  record.proof = asker.shown;
  record.where = asker.place;
  record.command = command;
  record.rule = why;
  record.result = "ignored";
  try {
    house_.audit().write(record, Audit::Sync::No);
  } catch (const Error& e) {
    log_error(e.what());
  }
}

bool Chat::in_bounds(const Whence& whence) {
  if (buckets_.size() > kMostSenders) buckets_.clear();
  const auto now = Clock::now();
  Bucket& bucket = buckets_.try_emplace(key_of(whence.link, whence.sender), now).first->second;
  if (bucket.take(now)) return true;
  if (bucket.to_be_told()) tell(whence, "refused: too many commands at once, two a second are answered");
  return false;
}

void Chat::heard_message(Link& link, const nlohmann::json& event) {
  Whence whence;
  whence.link = link.name();
  whence.place = text_in(event, "place");
  whence.direct = event.value("direct", false);
  whence.sender = text_in(event, "sender");
  whence.identity = text_in(event, "identity");
  whence.proof = text_in(event, "proof");
  if (whence.direct && whence.place.empty()) whence.place = whence.sender;
  if (whence.place.empty() || stopping_) return;
  if (!event.value("addressed", false) && !whence.direct) return;
  const std::string text = links::clean_text(event.value("text", std::string()).substr(0, kLongestCommand + 1));
  const std::string command = without_address(text, link.settings().prefix);
  if (command.empty()) return;
  const std::string shown = command.substr(0, 400);
  if (event.value("history", false)) return note_ignored(whence, shown, "said before jarvis was there");
  if (event.value("bot", false)) return note_ignored(whence, shown, "said by a bot");
  if (!in_bounds(whence)) return note_ignored(whence, shown, "too many commands at once");
  if (command.size() > kLongestCommand) {
    note_ignored(whence, shown, "longer than 4096 bytes");
    return tell(whence, "refused: a command has at most 4096 bytes");
  }
  if (obeying_ >= kMostAtOnce) {
    note_ignored(whence, shown, "too many commands of everybody at once");
    return tell(whence, "refused: busy with " + std::to_string(obeying_) + " commands, ask again");
  }
  ++obeying_;
  asio::co_spawn(loop_, obey(whence, asker_of(whence), command), [this](std::exception_ptr fault) {
    --obeying_;
    try {
      if (fault) std::rethrow_exception(fault);
    } catch (const std::exception& e) {
      log_error(std::string("a chat command: ") + e.what());
    }
  });
}

awaitable<void> Chat::obey(Whence whence, Asker asker, std::string command) {
  ChatTalk talk(*this, std::move(whence), std::move(asker));
  try {
    talk.parse(words_of(command));
  } catch (const Error& e) {
    // Who is not proven to be somebody learns nothing about what there is.
    const bool known = !talk.asker().person.empty();
    note_ignored(talk.whence(), command.substr(0, 400), known ? e.what() : "nobody known, and no such command");
    if (known) talk.error((e.kind() == Kind::Refused ? "refused: " : "") + std::string(e.what()));
    if (!known) talk.error("refused: " + may(house_.settings(), talk.asker(), {"status", {}, ""}).rule);
    talk.finish();
    co_return;
  }
  co_await answer(house_, talk, command);
  talk.finish();
}

void Chat::heard_identity(Link& link, const nlohmann::json& event) {
  const std::string sender = text_in(event, "sender");
  const auto found = to_be_proven_.find(key_of(link.name(), sender));
  if (found == to_be_proven_.end()) return;
  const std::vector<Held> waiting = std::move(found->second);
  to_be_proven_.erase(found);
  const std::string identity = text_in(event, "identity");
  for (const Held& held : waiting) {
    if (!held.whence.identity.empty() && identity == held.whence.identity) {
      tell(held.whence, held.text, held.then);
    } else {
      log_info("link " + link.name() + ": " + sender + " is not proven to be " + held.whence.identity +
               " any more: a late answer was not sent");
      held.settle(true);
    }
  }
}

void Chat::heard_gone(Link& link, const nlohmann::json& event) {
  const std::string identity = text_in(event, "identity");
  if (identity.empty()) return;
  for (auto& [key, waiting] : to_be_proven_) {
    std::erase_if(waiting, [&](const Held& held) {
      const bool theirs = held.whence.link == link.name() && held.whence.identity == identity;
      if (theirs) held.settle(true);
      return theirs;
    });
  }
  std::erase_if(to_be_proven_, [](const auto& one) { return one.second.empty(); });
  const Person* person =
      person_of(house_.settings(), link.name(), identity, identity.starts_with("cert:") ? "certificate" : "account");
  if (person == nullptr) return;
  asio::co_spawn(loop_, house_.pipeline().withdraw(person->name), [](std::exception_ptr) {});
}

}  // namespace jarvis::bot
