// Locks that outlive runs: a person holds a host, or freezes everything. Kept as notes of the journal.
#include <algorithm>
#include <charconv>

#include "pipeline/error.h"
#include "pipeline/pipeline.h"

namespace jarvis::pipeline {

namespace {

constexpr const char* kHolds = "holds";
constexpr const char* kFreeze = "freeze";

// A hold is a line "HOST \t BY \t MICROSECONDS \t REASON"; what people wrote holds no tabs and no line ends.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

std::string line_of(const Hold& hold) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(hold.since.time_since_epoch()).count();
  return one_line(hold.host) + "\t" + one_line(hold.by) + "\t" + std::to_string(since) + "\t" + one_line(hold.reason) +
         "\n";
}

std::vector<Hold> holds_from(const std::string& lines) {
  std::vector<Hold> made;
  for (std::size_t from = 0, end = 0; (end = lines.find('\n', from)) != std::string::npos; from = end + 1) {
    std::vector<std::string> fields(1);
    for (std::size_t i = from; i < end; ++i) {
      if (lines[i] == '\t') fields.emplace_back();
      if (lines[i] != '\t') fields.back() += lines[i];
    }
    if (fields.size() != 4) continue;
    std::int64_t since = 0;
    std::from_chars(fields[2].data(), fields[2].data() + fields[2].size(), since);
    made.push_back({fields[0], fields[1], fields[3], Time{std::chrono::microseconds{since}}});
  }
  return made;
}

}  // namespace

std::vector<Hold> Pipeline::holds() {
  return holds_from(shop_.journal().note(kHolds).value_or(""));
}

std::optional<Hold> Pipeline::held(const std::string& host) {
  for (const Hold& hold : holds()) {
    if (hold.host == host) return hold;
  }
  return std::nullopt;
}

void Pipeline::hold(Hold hold) {
  if (const auto other = held(hold.host))
    throw Error(Kind::Refused, other->host + " is held already: " + other->words());
  std::string lines;
  for (const Hold& one : holds()) lines += line_of(one);
  shop_.journal().set_note(kHolds, lines + line_of(hold));
}

Hold Pipeline::release(const std::string& host) {
  const auto was = held(host);
  if (!was) throw Error(Kind::Usage, host + " is not held");
  std::string lines;
  for (const Hold& one : holds()) {
    if (one.host != host) lines += line_of(one);
  }
  shop_.journal().set_note(kHolds, lines);
  return *was;
}

std::optional<Hold> Pipeline::frozen() {
  const auto lines = holds_from(shop_.journal().note(kFreeze).value_or(""));
  return lines.empty() ? std::nullopt : std::optional(lines.front());
}

void Pipeline::freeze(Hold how) {
  if (const auto already = frozen()) throw Error(Kind::Refused, "frozen already: " + already->words());
  shop_.journal().set_note(kFreeze, line_of(how));
  shop_.freeze("frozen " + how.words());
}

Hold Pipeline::thaw() {
  const auto was = frozen();
  if (!was) throw Error(Kind::Usage, "nothing is frozen");
  shop_.journal().set_note(kFreeze, "");
  shop_.thaw();
  return *was;
}

void Pipeline::refuse_if_frozen() {
  if (const auto how = frozen())
    throw Error(Kind::Refused, "nothing is begun: frozen " + how->words() + "; `jarvis thaw` ends that");
}

std::string Hold::words() const {
  return "by " + by + " since " + clock_of(since) + (reason.empty() ? "" : " because " + reason);
}

}  // namespace jarvis::pipeline
