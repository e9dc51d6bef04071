// Watches the events of one YAML document for everything that Bounds and CONTRACTS §1 forbid. Internal to the
// clipboard.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/clipboard.h"
#include "pipeline/error.h"
#include "pipeline/yaml_events.h"

namespace jarvis::pipeline {

// "line L, column C: TEXT".
Error fault(const yaml_mark_t& mark, const std::string& text);

class ClipboardChecker {
 public:
  explicit ClipboardChecker(const Bounds& bounds) : bounds_(bounds) {}

  // Call for every event in order. Returns the depth at which the event's node stands (the root: 0).
  int see(const yaml_event_t& event);
  // Whether the event just seen is a key of its mapping.
  bool was_key() const { return was_key_; }

 private:
  struct Key {
    std::uint64_t hash;
    yaml_mark_t mark;
    std::string text;
  };
  struct Frame {
    bool mapping;
    bool key_next;
    std::vector<Key> keys;
    std::string anchor;
    long long nodes_before;
  };
  struct Anchor {
    std::string name;
    long long nodes;  // that stand below it, aliases expanded
  };
  void node(const yaml_event_t& event, const yaml_char_t* anchor, long long weight = 1);
  void open(const yaml_event_t& event, bool mapping, const yaml_char_t* anchor);
  void close();

  Bounds bounds_;
  std::vector<Frame> stack_;
  std::vector<Anchor> anchors_;
  long long nodes_ = 0;  // with every alias counted as what it stands for: a reader that copies would make so many
  int aliases_ = 0;
  bool was_key_ = false;
};

}  // namespace jarvis::pipeline
