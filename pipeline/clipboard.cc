#include "pipeline/clipboard.h"

#include <algorithm>

#include "pipeline/clipboard_checker.h"
#include "pipeline/error.h"
#include "pipeline/yaml_events.h"
#include "pipeline/yaml_quote.h"

namespace jarvis::pipeline {

namespace {

std::string number(std::size_t value) {
  return std::to_string(value);
}

bool is_end(const yaml_event_t& event) {
  return event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
}

bool is_start(const yaml_event_t& event) {
  return event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
}

// Where the content of this event stops, for finding the end of an entry; block collections end where the next thing
// begins, so they say nothing.
bool marks_content(const yaml_event_t& event) {
  return event.type == YAML_SCALAR_EVENT || event.type == YAML_ALIAS_EVENT || is_end(event);
}

bool block_scalar(const yaml_event_t& event) {
  return event.type == YAML_SCALAR_EVENT &&
         (event.data.scalar.style == YAML_LITERAL_SCALAR_STYLE || event.data.scalar.style == YAML_FOLDED_SCALAR_STYLE);
}

bool plain_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

}  // namespace

bool Clipboard::blank(std::string_view text) {
  bool comment = false;
  bool line_start = true;  // a # begins a comment only after white space
  for (const char c : text) {
    if (c == '\n') {
      comment = false;
    } else if (!comment && c == '#' && line_start) {
      comment = true;
    } else if (!comment && c != ' ' && c != '\t' && c != '\r') {
      return false;
    }
    line_start = true;
  }
  return true;
}

Clipboard Clipboard::parse(std::string text, const Bounds& bounds) {
  if (text.size() > bounds.bytes) {
    throw Error(Kind::Usage, number(text.size()) + " bytes, at most " + number(bounds.bytes) + " are accepted");
  }
  Clipboard made(std::move(text));
  made.index(bounds);
  return made;
}

Clipboard Clipboard::checked(std::string text) {
  return Clipboard(std::move(text));
}

const std::vector<Clipboard::Entry>& Clipboard::entries() const {
  if (!indexed_) index({std::max(text_.size(), Bounds{}.bytes)});
  return entries_;
}

void Clipboard::index(const Bounds& bounds) const {
  indexed_ = true;
  YamlReader reader(text_);
  ClipboardChecker checker(bounds);
  bool root_seen = false;
  bool document_ended = false;
  entries_.clear();
  editable_ = true;
  std::size_t content_end = 0;
  bool ends_in_block_scalar = false;
  for (;;) {
    const yaml_event_t& event = reader.next();
    if (event.type == YAML_STREAM_END_EVENT) break;
    if (event.type == YAML_DOCUMENT_START_EVENT && document_ended) {
      throw fault(event.start_mark, "a second document begins here, one mapping is expected");
    }
    if (event.type == YAML_DOCUMENT_END_EVENT) document_ended = true;
    const int depth = checker.see(event);
    const bool is_node = event.type == YAML_SCALAR_EVENT || event.type == YAML_ALIAS_EVENT || is_start(event);
    if (!root_seen && is_node) {
      if (event.type != YAML_MAPPING_START_EVENT) {
        throw fault(event.start_mark, std::string("a mapping (key: value) is expected, this is ") +
                                          (event.type == YAML_SEQUENCE_START_EVENT ? "a list" : "a single value"));
      }
      root_seen = true;
      const auto& root = event.data.mapping_start;
      if (root.style == YAML_FLOW_MAPPING_STYLE || root.anchor != nullptr || root.tag != nullptr) editable_ = false;
      continue;
    }
    if (depth == 1 && is_node && checker.was_key()) {
      if (event.type != YAML_SCALAR_EVENT) {
        editable_ = false;
        entries_.push_back({});
        continue;
      }
      const std::size_t begin = reader.byte_of(event.start_mark);
      if (event.start_mark.column != 0 || event.data.scalar.anchor != nullptr) editable_ = false;
      const std::size_t key_end = reader.byte_of(event.end_mark);
      entries_.push_back({std::string(scalar_text(event)),
                          begin,
                          key_end,
                          key_end,
                          static_cast<int>(event.start_mark.line) + 1,
                          static_cast<int>(event.start_mark.column) + 1,
                          false,
                          false,
                          false,
                          {}});
      continue;
    }
    if (entries_.empty()) continue;
    Entry& entry = entries_.back();
    if (depth == 1 && is_node) {  // the value of the entry begins
      entry.value = reader.byte_of(event.start_mark);
      entry.is_mapping = event.type == YAML_MAPPING_START_EVENT;
      if (event.type == YAML_SCALAR_EVENT) {
        entry.is_scalar = true;
        entry.is_plain = event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event.data.scalar.tag == nullptr;
        entry.scalar = scalar_text(event);
      }
    }
    if (depth >= 1 && marks_content(event)) {
      const std::size_t end = reader.byte_of(event.end_mark);
      // A block collection's end mark is where the next thing begins; a flow collection's is its bracket.
      const bool bracket = !is_end(event) || (end > 0 && (text_[end - 1] == ']' || text_[end - 1] == '}') &&
                                              event.start_mark.index != event.end_mark.index);
      if (bracket) {
        content_end = end;
        ends_in_block_scalar = block_scalar(event);
        entry.end = content_end;
        if (!(ends_in_block_scalar && content_end > 0 && text_[content_end - 1] == '\n')) {
          const std::size_t newline = text_.find('\n', content_end);
          entry.end = newline == std::string::npos ? text_.size() : newline + 1;
        }
      }
    }
  }
  if (!root_seen) throw Error(Kind::Usage, "empty, a mapping (key: value) is expected");
}

const Clipboard::Entry* Clipboard::find(std::string_view key) const {
  for (const Entry& entry : entries()) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

std::vector<std::string> Clipboard::keys() const {
  std::vector<std::string> made;
  for (const Entry& entry : entries()) made.push_back(entry.key);
  return made;
}

std::optional<std::string> Clipboard::scalar(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr || !entry->is_scalar || null(key)) return std::nullopt;
  return entry->scalar;
}

bool Clipboard::null(std::string_view key) const {
  const Entry* entry = find(key);
  return entry != nullptr && entry->is_scalar && entry->is_plain && plain_null(entry->scalar);
}

bool Clipboard::mapping(std::string_view key) const {
  const Entry* entry = find(key);
  return entry != nullptr && entry->is_mapping;
}

std::string Clipboard::require(std::string_view key) const {
  auto value = scalar(key);
  if (!value) throw Error(Kind::Usage, std::string(key) + ": missing on the clipboard");
  return *value;
}

namespace {

// Calls `item(event, depth)` for each event of the value of one top-level key; the value itself stands at depth 1.
template <typename F>
void events_of(const std::string& text, std::string_view key, F item) {
  YamlReader reader(text);
  int depth = 0;
  bool key_next = true;
  bool inside = false;
  for (;;) {
    const yaml_event_t& event = reader.next();
    if (event.type == YAML_STREAM_END_EVENT) return;
    if (is_end(event)) --depth;
    if (inside && depth >= 1) {
      item(event, depth);
      if (depth == 1 && !is_start(event)) return;
    } else if (depth == 1 && !is_end(event)) {
      inside = key_next && event.type == YAML_SCALAR_EVENT && scalar_text(event) == key;
      key_next = !key_next;
    }
    if (is_start(event)) ++depth;
  }
}

}  // namespace

std::vector<std::string> Clipboard::list(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return {};
  if (entry->is_scalar) {
    auto one = scalar(key);
    return one ? std::vector<std::string>{*one} : std::vector<std::string>{};
  }
  std::vector<std::string> made;
  events_of(text_, key, [&](const yaml_event_t& event, int depth) {
    if (depth == 1 && event.type == YAML_SEQUENCE_START_EVENT) return;
    if (depth == 1 && event.type == YAML_SEQUENCE_END_EVENT) return;
    if (depth != 2 || event.type != YAML_SCALAR_EVENT) {
      throw Error(Kind::Usage, std::string(key) + ": a list of plain values is expected");
    }
    made.emplace_back(scalar_text(event));
  });
  return made;
}

std::vector<std::pair<std::string, std::string>> Clipboard::map(std::string_view key) const {
  const Entry* entry = find(key);
  std::vector<std::pair<std::string, std::string>> made;
  if (entry == nullptr || (entry->is_scalar && !scalar(key))) return made;
  bool key_next = true;
  events_of(text_, key, [&](const yaml_event_t& event, int depth) {
    if (depth == 1 && (event.type == YAML_MAPPING_START_EVENT || event.type == YAML_MAPPING_END_EVENT)) return;
    if (depth != 2 || event.type != YAML_SCALAR_EVENT) {
      throw Error(Kind::Usage, std::string(key) + ": a mapping of plain values is expected");
    }
    if (key_next) {
      made.emplace_back(std::string(scalar_text(event)), "");
    } else {
      made.back().second = scalar_text(event);
    }
    key_next = !key_next;
  });
  return made;
}

std::string_view Clipboard::raw(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return {};
  std::string_view value = std::string_view(text_).substr(entry->value, entry->end - entry->value);
  while (!value.empty() && (value.back() == '\n' || value.back() == ' ' || value.back() == '\r'))
    value.remove_suffix(1);
  return value;
}

std::pair<int, int> Clipboard::where(std::string_view key) const {
  const Entry* entry = find(key);
  return entry != nullptr ? std::pair(entry->line, entry->column) : std::pair(0, 0);
}

void Clipboard::replace(std::string_view key, const std::string& entry_text) {
  const Entry* entry = find(key);
  if (!editable_) {
    *this = block_style();
    entry = find(key);
  }
  std::string made;
  if (entry != nullptr) {
    made = text_.substr(0, entry->begin) + entry_text + text_.substr(entry->end);
  } else if (entries().empty()) {
    made = entry_text;  // the text was {}
  } else {
    const std::size_t end = entries_.back().end;
    made = text_.substr(0, end);
    if (!made.empty() && made.back() != '\n') made += '\n';
    made += entry_text + text_.substr(end);
  }
  if (made.empty() || blank(made)) made = "{}\n";
  *this = parse(std::move(made));
}

void Clipboard::set(std::string_view key, std::string_view value) {
  replace(key, entry_of(key, value, ""));
}

void Clipboard::set_list(std::string_view key, const std::vector<std::string>& values) {
  std::string made = quoted(key) + ":";
  if (values.empty()) made += " []\n";
  if (!values.empty()) made += '\n';
  for (const std::string& value : values) made += "  - " + quoted(value) + "\n";
  replace(key, made);
}

void Clipboard::set_map(std::string_view key, const std::vector<std::pair<std::string, std::string>>& values) {
  std::string made = quoted(key) + ":";
  if (values.empty()) made += " {}\n";
  if (!values.empty()) made += '\n';
  for (const auto& [name, value] : values) made += entry_of(name, value, "  ");
  replace(key, made);
}

void Clipboard::set_raw(std::string_view key, std::string_view yaml) {
  const std::string made = quoted(key) + ": " + std::string(yaml) + "\n";
  if (parse(made).entries().size() != 1) throw Error(Kind::Usage, std::string(key) + ": not one value");
  replace(key, made);
}

void Clipboard::erase(std::string_view key) {
  if (has(key)) replace(key, "");
}

void Clipboard::copy(const Clipboard& from, std::string_view key) {
  const Entry* entry = from.find(key);
  if (entry == nullptr) return;
  if (!from.editable_) return copy(from.block_style(), key);
  std::string made = from.text_.substr(entry->begin, entry->end - entry->begin);
  if (made.back() != '\n') made += '\n';
  replace(key, made);
}

Clipboard Clipboard::block_style() const {
  YamlReader reader(text_);
  YamlWriter writer;
  int depth = 0;
  for (;;) {
    const yaml_event_t& event = reader.next();
    if (event.type == YAML_STREAM_END_EVENT) break;
    if (depth == 0 && event.type == YAML_MAPPING_START_EVENT) {
      yaml_event_t root = event;  // the writer copies what it needs
      root.data.mapping_start.style = YAML_BLOCK_MAPPING_STYLE;
      root.data.mapping_start.anchor = nullptr;
      root.data.mapping_start.tag = nullptr;
      root.data.mapping_start.implicit = 1;
      writer.copy(root);
    } else {
      writer.copy(event);
    }
    if (is_start(event)) ++depth;
    if (is_end(event)) --depth;
  }
  return parse(writer.finish());
}

std::vector<std::string> scalars_under(const std::string& text, const std::function<bool(std::string_view)>& is_key) {
  struct Frame {
    bool mapping, key_next, marked;
  };
  std::vector<std::string> found;
  std::vector<Frame> stack;
  YamlReader reader(text);
  bool marked = false;  // the node that comes next stands under a wanted key
  for (;;) {
    const yaml_event_t& event = reader.next();
    if (event.type == YAML_STREAM_END_EVENT) return found;
    if (is_end(event)) {
      stack.pop_back();
      marked = !stack.empty() && stack.back().marked;
      continue;
    }
    const bool node = event.type == YAML_SCALAR_EVENT || event.type == YAML_ALIAS_EVENT || is_start(event);
    if (!node) continue;
    if (!stack.empty() && stack.back().mapping && stack.back().key_next) {
      stack.back().key_next = false;
      marked = stack.back().marked || (event.type == YAML_SCALAR_EVENT && is_key(scalar_text(event)));
      if (is_start(event)) stack.push_back({event.type == YAML_MAPPING_START_EVENT, true, false});
      continue;
    }
    if (!stack.empty() && stack.back().mapping) stack.back().key_next = true;
    if (!stack.empty() && !stack.back().mapping) marked = stack.back().marked;
    if (is_start(event)) {
      stack.push_back({event.type == YAML_MAPPING_START_EVENT, true, marked});
    } else if (marked && event.type == YAML_SCALAR_EVENT) {
      found.emplace_back(scalar_text(event));
    }
  }
}

}  // namespace jarvis::pipeline
