#include "bot/followings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace jarvis::bot {

namespace {

constexpr const char* kNote = "followings";
constexpr std::size_t kMost = 1000;  // the oldest is forgotten

}  // namespace

Followings::Followings(pipeline::Journal& journal) : journal_(journal) {
  const auto list = nlohmann::json::parse(journal.note(kNote).value_or("[]"), nullptr, false);
  for (const auto& one : list.is_array() ? list : nlohmann::json::array()) {
    try {
      const auto where = Whence::from(one.value("where", ""));
      if (where) all_.push_back({one.value("person", ""), one.value("host", ""), one.value("quiet", false), *where});
    } catch (const nlohmann::json::exception&) {  // one that cannot be read is no reason not to start
    }
  }
}

void Followings::set(Following following) {
  auto made = all_;
  std::erase_if(made,
                [&](const Following& one) { return one.person == following.person && one.host == following.host; });
  made.push_back(std::move(following));
  if (made.size() > kMost) made.erase(made.begin());
  auto list = nlohmann::json::array();
  for (const Following& one : made)
    list.push_back({{"person", one.person}, {"host", one.host}, {"quiet", one.quiet}, {"where", one.where.text()}});
  journal_.set_note(kNote, list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  all_ = std::move(made);
}

std::vector<Following> Followings::of(const std::string& host) const {
  std::vector<Following> made;
  std::copy_if(all_.begin(), all_.end(), std::back_inserter(made), [&](const auto& one) { return one.host == host; });
  return made;
}

bool Followings::quiet(const std::string& person, const std::string& host) const {
  return std::any_of(all_.begin(), all_.end(),
                     [&](const Following& one) { return one.quiet && one.person == person && one.host == host; });
}

void Followings::add_listener(const std::string& run, Listener listener) {
  auto& there = listeners_[run];
  const auto same = [&](const Listener& one) { return one.where == listener.where; };
  if (std::none_of(there.begin(), there.end(), same)) there.push_back(std::move(listener));
}

std::vector<Listener> Followings::take_listeners(const std::string& run) {
  const auto found = listeners_.extract(run);
  return found.empty() ? std::vector<Listener>() : std::move(found.mapped());
}

}  // namespace jarvis::bot
