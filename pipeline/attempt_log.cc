#include "pipeline/attempt_log.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

namespace jarvis::pipeline {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::optional<std::string_view> after(std::string_view line, std::string_view word) {
  if (!line.starts_with(word)) return std::nullopt;
  return trimmed(line.substr(word.size()));
}

// "2", "0.25"; at most a day, nothing negative.
std::optional<std::chrono::milliseconds> seconds(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0) || value > 86'400) return std::nullopt;
  return std::chrono::milliseconds(std::llround(value * 1000));
}

// "5.00 USD", "5": a number of at least 0, then letters or nothing.
std::optional<Cost> cost(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !(value >= 0) || value > 1e9) return std::nullopt;
  std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (!rest.empty() && rest.front() != ' ') return std::nullopt;
  rest = trimmed(rest);
  const bool letters = std::all_of(rest.begin(), rest.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
  if (!letters || rest.size() > 8) return std::nullopt;
  return Cost{value, std::string(rest)};
}

}  // namespace

bool AttemptLog::feed(std::string_view bytes) {
  const std::string before = progress_;
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, newline);
    if (!cut_) {
      const std::size_t room = kLine - partial_.size();
      partial_ += piece.substr(0, room);
      cut_ = piece.size() > room;
    }
    if (newline == std::string_view::npos) break;
    line(partial_);
    partial_.clear();
    cut_ = false;
    bytes.remove_prefix(newline + 1);
  }
  return progress_ != before;
}

void AttemptLog::finish() {
  if (!partial_.empty()) line(partial_);
  partial_.clear();
}

void AttemptLog::line(std::string_view text) {
  text = trimmed(text);
  if (const auto said = after(text, "progress:")) {
    progress_ = said->substr(0, 400);
  } else if (const auto delay = after(text, "retry-after:")) {
    if (const auto value = seconds(*delay)) retry_after_ = value;
  } else if (const auto change = after(text, "change:")) {
    if (changes_.size() < kChanges) changes_.emplace_back(*change);
  } else if (const auto amount = after(text, "cost:"); amount && cost(*amount)) {
    if (costs_.size() < kChanges) costs_.push_back(*cost(*amount));
  } else if (!text.empty()) {
    last_words_ = text;
  }
  if (head_.size() + text.size() < kHead && tail_.empty()) {
    head_ += text;
    head_ += '\n';
    return;
  }
  tail_.emplace_back(text);
  tail_bytes_ += text.size() + 1;
  while (tail_bytes_ > kTail && tail_.size() > 1) {
    tail_bytes_ -= tail_.front().size() + 1;
    tail_.pop_front();
    ++left_out_;
  }
}

std::string AttemptLog::text() const {
  std::string made = head_;
  if (left_out_ > 0) made += "... " + std::to_string(left_out_) + " lines left out ...\n";
  for (const std::string& one : tail_) made += one + "\n";
  return made;
}

}  // namespace jarvis::pipeline
