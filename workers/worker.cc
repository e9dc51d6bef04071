#include "workers/worker.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace jarvis::workers {

namespace {

std::string variable_of(std::string_view task, std::string_view name) {
  std::string variable(task.substr(0, task.find(':')));
  variable += '_';
  variable += name;
  for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return variable;
}

// One write per line, so that lines of several processes of one attempt do not mix.
void say(std::string_view prefix, std::string_view text) {
  std::string line(prefix);
  for (const char c : text) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t n = ::write(2, rest.data(), rest.size());
    if (n <= 0) return;  // nobody listens: a log line is not worth failing for
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

std::string Call::setting(std::string_view name) const {
  const char* value = std::getenv(variable_of(task, name).c_str());
  if (value == nullptr) {
    throw Error(Kind::Usage, "the configuration gives " + task.substr(0, task.find(':')) + " no `" + std::string(name) +
                                 "` (environment " + variable_of(task, name) + ")");
  }
  return value;
}

std::string Call::setting(std::string_view name, std::string_view otherwise) const {
  const char* value = std::getenv(variable_of(task, name).c_str());
  return value != nullptr ? std::string(value) : std::string(otherwise);
}

std::vector<std::string> Call::setting_list(std::string_view name) const {
  const std::string text = setting(name, "");
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

void Call::progress(std::string_view text) const {
  say("progress: ", text);
}
void Call::log(std::string_view text) const {
  say("", text);
}
void Call::change(std::string_view text) const {
  say("change: ", text);
}

void Call::cost(double monthly, std::string_view currency) const {
  char amount[64];
  std::snprintf(amount, sizeof amount, "%.2f ", monthly);
  say("cost: ", amount + std::string(currency));
}

void not_yet(std::string_view why, std::chrono::milliseconds delay) {
  Error error(Kind::Transient, std::string(why));
  throw error.retry_after(delay);
}

}  // namespace jarvis::workers
