#include "bot/links/irc/channels.h"

#include <algorithm>
#include <utility>

namespace jarvis::bot::links::irc {

namespace {

constexpr Seconds kMost{600};
constexpr Seconds kNoAnswer{120};  // a JOIN that the server has not answered
constexpr Seconds kSettled{300};   // in for that long: the next way back begins with the short delay again

}  // namespace

void Channels::begin(const std::vector<Wanted>& wanted, Casemapping casemapping, Time now) {
  casemapping_ = casemapping;
  channels_.clear();
  for (const Wanted& one : wanted) {
    Channel channel;
    channel.wanted = one;
    channel.next = now;
    channel.delay.emplace(first_, kMost);
    channels_.push_back(std::move(channel));
  }
}

const Channels::Channel* Channels::find(const std::string& name) const {
  const auto found = std::find_if(channels_.begin(), channels_.end(), [&](const Channel& channel) {
    return same_name(channel.wanted.name, name, casemapping_);
  });
  return found == channels_.end() ? nullptr : &*found;
}

Channels::Channel* Channels::find(const std::string& name) {
  return const_cast<Channel*>(std::as_const(*this).find(name));
}

bool Channels::is_in(const std::string& name) const {
  const Channel* channel = find(name);
  return channel != nullptr && channel->in;
}

std::string Channels::spelled(const std::string& name) const {
  const Channel* channel = find(name);
  return channel == nullptr ? name : channel->wanted.name;
}

std::vector<Channels::Wanted> Channels::to_join(Time now) {
  std::vector<Wanted> wanted;
  for (Channel& channel : channels_) {
    if (channel.in || channel.next > now) continue;
    channel.next = after(now, kNoAnswer);
    wanted.push_back(channel.wanted);
  }
  return wanted;
}

Time Channels::due() const {
  Time due = Time::max();
  for (const Channel& channel : channels_) {
    if (!channel.in) due = std::min(due, channel.next);
  }
  return due;
}

void Channels::joined(const std::string& name, Time now) {
  Channel* channel = find(name);
  if (channel == nullptr) return;
  channel->in = true;
  channel->since = now;
  channel->complaint.clear();
}

std::string Channels::thrown_out(const std::string& name, const std::string& why, Time now) {
  Channel* channel = find(name);
  if (channel == nullptr) return name + ": " + why;
  if (channel->in && now - channel->since > kSettled) channel->delay->reset();
  channel->in = false;
  const Seconds delay = channel->delay->next(random_);
  channel->next = after(now, delay);
  return channel->wanted.name + ": " + why + "; back in " + text_of(delay);
}

std::optional<std::string> Channels::refused(const std::string& name, const std::string& why, Time now) {
  Channel* channel = find(name);
  if (channel == nullptr || channel->in) return std::nullopt;
  channel->next = after(now, channel->delay->next(random_));
  if (channel->complaint == why) return std::nullopt;
  channel->complaint = why;
  return "cannot join " + channel->wanted.name + ": " + why + "; tried again and again, ever more slowly";
}

void Channels::invited(const std::string& name, Time now) {
  Channel* channel = find(name);
  if (channel != nullptr && !channel->in) channel->next = now;
}

}  // namespace jarvis::bot::links::irc
