// A run after an attempt: what it means, what people are told, what goes into the journal.
#include <boost/asio/use_awaitable.hpp>

#include "pipeline/error.h"
#include "pipeline/run.h"

namespace jarvis::pipeline {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kLoggedOutput = 8192;  // of what a failed attempt printed
constexpr std::size_t kLastWords = 400;

std::string shortened(std::string text) {
  if (text.size() <= kLastWords) return text;
  text.resize(kLastWords);
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.pop_back();
  return text + "...";
}

std::string in_seconds(std::chrono::milliseconds time) {
  const auto tenths = (time.count() + 50) / 100;
  return std::to_string(tenths / 10) + (tenths % 10 != 0 ? "." + std::to_string(tenths % 10) : "") + " s";
}

}  // namespace

// Whether the output is a clipboard that may replace the old one; turns the result into a failure if not.
asio::awaitable<bool> Run::judge(AttemptResult& result, std::optional<std::string>& clipboard, Facts& facts) {
  if (result.outcome != Outcome::Succeeded || Clipboard::blank(result.output)) co_return false;
  std::string fault;
  try {
    facts = co_await shop_.check(result.output);
    if (facts.fqdn != facts_.fqdn)
      fault = "it changed fqdn from " + facts_.fqdn + " to " + (facts.fqdn.empty() ? "nothing" : facts.fqdn);
    if (facts.hostname != facts_.hostname)
      fault = "it changed hostname from " + facts_.hostname + " to " +
              (facts.hostname.empty() ? "nothing" : facts.hostname);
  } catch (const Error& e) {
    fault = e.what();
  }
  if (fault.empty()) {
    clipboard = std::move(result.output);
    co_return true;
  }
  result.outcome = Outcome::Failed;
  result.why = "what it printed is not the clipboard: " + fault;
  co_return false;
}

std::string Run::reason(const AttemptResult& result, const Blanker& blanker) const {
  const std::string words = blanker.line(result.last_words);
  std::string why = blanker.line(result.why);
  const bool plain_exit = result.outcome == Outcome::Failed && result.exit_status != 0;
  if (words.empty()) return why;
  return plain_exit ? words : why + ": " + words;
}

// After an attempt: what it means, into the journal's next write. Stopped: to be asked again.
asio::awaitable<Run::Ending> Run::settle(int index, AttemptResult result, Time started) {
  RunStep& step = steps_[static_cast<std::size_t>(index)];
  step.elapsed = since(step_began_);
  if (result.lost) {  // does not count; the journal's intent stands, so it is asked again
    co_return Ending::Stopped;
  }
  std::optional<std::string> clipboard;
  Facts facts;
  const std::string printed = result.outcome == Outcome::Succeeded ? "" : result.output.substr(0, kLoggedOutput);
  co_await judge(result, clipboard, facts);

  Blanker blanker = shop_.blanker(facts_.secrets, *step.row);
  blanker.learn_values(facts.secrets);
  if (result.outcome != Outcome::Succeeded) {
    // A secret that the worker made and printed, but that never came onto the clipboard.
    try {
      if (!result.output.empty()) blanker.learn(Clipboard::parse(result.output.substr(0, 64U << 10U)).text());
    } catch (const Error&) {
    }
  }
  AttemptEnded record;
  record.attempt.run = record_.id;
  record.attempt.step = index;
  record.attempt.number = step.tries;
  record.attempt.started = started;
  record.attempt.ended = now();
  record.attempt.outcome = result.outcome;
  record.attempt.not_yet = result.not_yet;
  record.attempt.exit_status = result.exit_status;
  record.attempt.signal = result.signal;
  record.attempt.cpu_user = result.usage.user;
  record.attempt.cpu_system = result.usage.system;
  record.attempt.max_rss_kib = result.usage.max_rss_kib;
  record.attempt.log = result.log.empty() ? "" : blanker.lines(result.log);
  if (!printed.empty()) record.attempt.log += "stdout of the failed attempt:\n" + blanker.lines(printed);

  if (result.outcome != Outcome::Succeeded && result.outcome != Outcome::Cancelled && !result.not_yet) ++step.counted;
  if (result.outcome == Outcome::Succeeded) ++step.counted;
  const std::string words = shortened(reason(result, blanker));
  if (result.outcome != Outcome::Succeeded) record.attempt.last_words = words;
  const NextMove move =
      after_attempt(step.row->retry, result.outcome, result.not_yet, step.counted, result.retry_after, step.elapsed);
  Ending ending = Ending::Done;
  if (result.outcome == Outcome::Cancelled) {
    ending = Ending::Cancelled;
    step.state = StepRecord::State::Todo;
  } else if (move.what == NextMove::Do::Advance) {
    step.state = StepRecord::State::Done;
    if (clipboard) {
      clipboard_ = std::make_shared<const std::string>(std::move(*clipboard));
      facts_ = std::move(facts);
      record.sealed_clipboard = shop_.seal().seal(*clipboard_, record_.id);
    }
    shop_.took(record_.provider, step.row->name, step.elapsed);
  } else if (move.what == NextMove::Do::AskAgain) {
    ending = Ending::Stopped;
    step.next_at = now() + std::chrono::duration_cast<Time::duration>(move.delay);
    text_ = words.empty() ? "asked again" : words;
  } else {
    ending = Ending::Failed;
    step.state = StepRecord::State::Todo;
    failure_ = words;
    if (move.deadline_passed)
      failure_ = "not done within " + in_seconds(step.row->retry.deadline) + (words.empty() ? "" : ": " + words);
  }
  record.step_state = step.state;
  record.counted = step.counted;
  record.elapsed = step.elapsed;
  record.next_at = step.next_at;
  pending_.push_back(std::move(record));
  if (ending == Ending::Stopped) {
    note(RunState::Waiting);
    if (!result.not_yet) changed_(*this, What::AskedAgain);
  }
  co_return ending;
}

}  // namespace jarvis::pipeline
