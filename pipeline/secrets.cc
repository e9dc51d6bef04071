#include "pipeline/secrets.h"

#include <algorithm>
#include <cctype>
#include <memory>

#include "pipeline/error.h"
#include "pipeline/yaml_events.h"
#include "pipeline/yaml_quote.h"

namespace jarvis::pipeline {

namespace {

constexpr std::size_t kShortest = 6;
constexpr std::string_view kBlank = "[secret]";
constexpr const char* kSealedTag = "!sealed";

bool is_end(const yaml_event_t& event) {
  return event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
}
bool is_start(const yaml_event_t& event) {
  return event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

// Printable as one line in a terminal, a log and a chat: no control characters, valid UTF-8.
std::string printable(std::string_view text) {
  std::string made;
  made.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    std::size_t length = lead < 0x80 ? 1 : (lead >> 5U) == 6 ? 2 : (lead >> 4U) == 14 ? 3 : (lead >> 3U) == 30 ? 4 : 0;
    bool ok = length > 0 && at + length <= text.size();
    for (std::size_t i = 1; ok && i < length; ++i) ok = (static_cast<unsigned char>(text[at + i]) & 0xC0U) == 0x80U;
    const bool control =
        lead < 0x20 || lead == 0x7F || (lead == 0xC2 && ok && static_cast<unsigned char>(text[at + 1]) < 0xA0);
    if (text[at] == '\t') {
      made += ' ';
    } else if (!ok || control) {
      made += '?';
      if (!ok) length = 1;
    } else {
      made += text.substr(at, length);
    }
    at += length;
  }
  return made;
}

// A word of a key's kind that ends at `end`; empty if none.
std::string_view word_before(std::string_view text, std::size_t end) {
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '"' || text[end - 1] == '\'')) --end;
  std::size_t begin = end;
  while (begin > 0 && (std::isalnum(static_cast<unsigned char>(text[begin - 1])) != 0 || text[begin - 1] == '_' ||
                       text[begin - 1] == '-'))
    --begin;
  while (begin < end && text[begin] == '-') ++begin;  // --password=
  return text.substr(begin, end - begin);
}

}  // namespace

void Blanker::learn_line(std::string_view line) {
  line = trimmed(line);
  if (line.size() < kShortest) return;
  std::string value = printable(line);
  if (std::find(values_.begin(), values_.end(), value) == values_.end()) values_.push_back(std::move(value));
}

void Blanker::learn_values(const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t newline = rest.find('\n');
      learn_line(rest.substr(0, newline));
      rest = newline == std::string_view::npos ? std::string_view{} : rest.substr(newline + 1);
    }
    // As a reader of YAML or JSON would print it: with escapes.
    const std::string in_quotes = quoted(value);
    if (in_quotes.size() > 2 && in_quotes.front() != value.front())
      learn_line(std::string_view(in_quotes).substr(1, in_quotes.size() - 2));
  }
  std::stable_sort(values_.begin(), values_.end(),
                   [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

void Blanker::learn(const std::string& clipboard_text) {
  learn_values(scalars_under(clipboard_text, is_secret_));
}

std::string Blanker::line(std::string_view text) const {
  std::string made = printable(text);
  for (const std::string& value : values_) {
    for (std::size_t at = made.find(value); at != std::string::npos; at = made.find(value, at + kBlank.size()))
      made.replace(at, value.size(), kBlank);
  }
  for (std::size_t at = made.find_first_of(":="); at != std::string::npos; at = made.find_first_of(":=", at + 1)) {
    const std::string_view word = word_before(made, at);
    if (word.empty() || !is_secret_(word) || trimmed(std::string_view(made).substr(at + 1)).empty()) continue;
    made.replace(at + 1, std::string::npos, " " + std::string(kBlank));
    break;
  }
  return made;
}

std::string Blanker::lines(std::string_view text) const {
  std::string made;
  bool in_key = false;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::string_view one = text.substr(0, newline);
    const bool begins =
        one.find("PRIVATE KEY-----") != std::string_view::npos && one.find("-----BEGIN") != std::string_view::npos;
    const bool ends =
        one.find("PRIVATE KEY-----") != std::string_view::npos && one.find("-----END") != std::string_view::npos;
    if (begins) in_key = true;
    made += in_key ? std::string(kBlank) : line(one);
    made += '\n';
    if (ends) in_key = false;
    text = newline == std::string_view::npos ? std::string_view{} : text.substr(newline + 1);
  }
  return made;
}

Facts facts_of(const Clipboard& board, const std::set<std::string, std::less<>>& secret_keys) {
  Facts facts{board.scalar("hostname").value_or(""), board.scalar("fqdn").value_or(""), {}};
  const std::string& text = board.text();
  // Reading the text once more is dear; a key that stands nowhere in it has no value (with escapes it might be hidden).
  const bool any = text.find('\\') != std::string::npos ||
                   std::any_of(secret_keys.begin(), secret_keys.end(),
                               [&](const std::string& key) { return text.find(key) != std::string::npos; });
  if (any) facts.secrets = scalars_under(text, [&](std::string_view key) { return secret_keys.count(key) > 0; });
  return facts;
}

std::string show_sealed(const std::string& clipboard_text, const std::function<bool(std::string_view key)>& is_secret,
                        const std::function<std::string(std::string_view plain)>& seal) {
  YamlReader reader(clipboard_text);
  YamlWriter writer;
  std::vector<std::pair<bool, bool>> stack;  // mapping, key next
  std::unique_ptr<YamlWriter> inner;         // collects the value of a secret key
  std::size_t inner_depth = 0;
  bool secret_next = false;
  for (;;) {
    const yaml_event_t& event = reader.next();
    if (event.type == YAML_STREAM_END_EVENT) return writer.finish();
    const bool scalar = event.type == YAML_SCALAR_EVENT;
    const bool node = scalar || event.type == YAML_ALIAS_EVENT || is_start(event);
    if (is_end(event)) stack.pop_back();
    bool key = false;
    if (node && !stack.empty() && stack.back().first) {
      key = stack.back().second;
      stack.back().second = !key;
    }
    if (!inner && !key && secret_next && node && event.type != YAML_ALIAS_EVENT) {
      inner = std::make_unique<YamlWriter>();
      inner_depth = stack.size();
    }
    if (inner) {
      inner->copy(event);
    } else {
      writer.copy(event);
    }
    if (inner && stack.size() == inner_depth && (scalar || is_end(event))) {
      writer.tagged(kSealedTag, seal(inner->finish()));
      inner.reset();
    }
    if (node) secret_next = key && scalar && is_secret(scalar_text(event));
    if (is_start(event)) stack.emplace_back(event.type == YAML_MAPPING_START_EVENT, true);
  }
}

std::string open_sealed(const std::string& clipboard_text,
                        const std::function<std::string(std::string_view sealed)>& open) {
  YamlReader reader(clipboard_text);
  YamlWriter writer;
  std::string before = "?";  // the scalar before: the key of a sealed value
  for (;;) {
    const yaml_event_t& event = reader.next();
    if (event.type == YAML_STREAM_END_EVENT) return writer.finish();
    const auto* tag = event.type == YAML_SCALAR_EVENT ? event.data.scalar.tag : nullptr;
    if (tag == nullptr || std::string_view(reinterpret_cast<const char*>(tag)) != kSealedTag) {
      writer.copy(event);
      if (event.type == YAML_SCALAR_EVENT) before = scalar_text(event);
      continue;
    }
    std::string plain;
    try {
      plain = open(scalar_text(event));
    } catch (Error& e) {
      throw e.within(place(event.start_mark) + ": " + before);
    }
    YamlReader value(plain);
    for (const yaml_event_t* one = &value.next(); one->type != YAML_STREAM_END_EVENT; one = &value.next())
      writer.copy(*one);
  }
}

}  // namespace jarvis::pipeline
