#include "pipeline/clipboard_checker.h"

#include <algorithm>

namespace jarvis::pipeline {

namespace {

// FNV-1a: keys of one mapping are compared by hash; a collision of 64 bits only refuses a clipboard.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 1469598103934665603ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

}  // namespace

Error fault(const yaml_mark_t& mark, const std::string& text) {
  return {Kind::Usage, place(mark) + ": " + text};
}

void ClipboardChecker::node(const yaml_event_t& event, const yaml_char_t* anchor, long long weight) {
  nodes_ += weight;
  if (nodes_ > bounds_.nodes) {
    throw fault(event.start_mark, "more than " + std::to_string(bounds_.nodes) + " values" +
                                      (weight > 1 ? ", counting what the aliases stand for" : ""));
  }
  was_key_ = false;
  if (!stack_.empty() && stack_.back().mapping) {
    Frame& frame = stack_.back();
    was_key_ = frame.key_next;
    if (frame.key_next && event.type == YAML_SCALAR_EVENT) {
      const std::string_view text = scalar_text(event);
      frame.keys.push_back({hash_of(text), event.start_mark, std::string(text.substr(0, 80))});
    }
    frame.key_next = !frame.key_next;
  }
  if (anchor != nullptr) anchors_.push_back({reinterpret_cast<const char*>(anchor), 1});
}

void ClipboardChecker::open(const yaml_event_t& event, bool mapping, const yaml_char_t* anchor) {
  node(event, anchor);
  if (static_cast<int>(stack_.size()) >= bounds_.depth) {
    throw fault(event.start_mark, "nested deeper than " + std::to_string(bounds_.depth) + " levels");
  }
  stack_.push_back({mapping, mapping, {}, anchor != nullptr ? reinterpret_cast<const char*>(anchor) : "", nodes_});
}

void ClipboardChecker::close() {
  auto& keys = stack_.back().keys;
  // In order of appearance within one hash, so that the second of two is named.
  std::stable_sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.hash < b.hash; });
  const auto twice =
      std::adjacent_find(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.hash == b.hash; });
  if (twice != keys.end()) {
    throw fault((twice + 1)->mark,
                "the key " + twice->text + " stands here a second time (first at " + place(twice->mark) + ")");
  }
  const Frame& frame = stack_.back();
  const auto anchored =
      std::find_if(anchors_.rbegin(), anchors_.rend(), [&](const Anchor& one) { return one.name == frame.anchor; });
  if (!frame.anchor.empty() && anchored != anchors_.rend()) anchored->nodes = 1 + nodes_ - frame.nodes_before;
  stack_.pop_back();
}

int ClipboardChecker::see(const yaml_event_t& event) {
  const int depth = static_cast<int>(stack_.size());
  switch (event.type) {
    case YAML_SCALAR_EVENT:
      node(event, event.data.scalar.anchor);
      return depth;
    case YAML_ALIAS_EVENT: {
      if (++aliases_ > bounds_.aliases) {
        throw fault(event.start_mark, "more than " + std::to_string(bounds_.aliases) + " aliases");
      }
      const std::string name = reinterpret_cast<const char*>(event.data.alias.anchor);
      const auto anchored =
          std::find_if(anchors_.rbegin(), anchors_.rend(), [&](const Anchor& one) { return one.name == name; });
      if (anchored == anchors_.rend()) {
        throw fault(event.start_mark, "the alias *" + name + " has no anchor &" + name + " before it");
      }
      if (std::any_of(stack_.begin(), stack_.end(), [&](const Frame& frame) { return frame.anchor == name; })) {
        throw fault(event.start_mark, "the alias *" + name + " points into itself");
      }
      node(event, nullptr, anchored->nodes);
      return depth;
    }
    case YAML_MAPPING_START_EVENT:
      open(event, true, event.data.mapping_start.anchor);
      return depth;
    case YAML_SEQUENCE_START_EVENT:
      open(event, false, event.data.sequence_start.anchor);
      return depth;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
      close();
      return depth - 1;
    default:
      return depth;
  }
}

}  // namespace jarvis::pipeline
