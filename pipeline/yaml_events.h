// YAML as a stream of libyaml events: RAII around the C parser and emitter, and errors turned into one sentence with
// line and column. libyaml counts marks in characters, not bytes; byte_of() translates. Knows no clipboard.
#pragma once

#include <yaml.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace jarvis::pipeline {

class YamlReader {
 public:
  // `text` must outlive the reader.
  explicit YamlReader(std::string_view text);
  ~YamlReader();
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;

  // Fetches the next event, which lives until the next call. Error(Usage) with line and column when the text is no
  // YAML.
  const yaml_event_t& next();

  // The byte offset of a mark. Cheap for marks that do not go back.
  std::size_t byte_of(const yaml_mark_t& mark);

 private:
  [[noreturn]] void fail();

  std::string_view text_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool has_event_ = false;
  std::size_t character_ = 0, byte_ = 0;
  std::optional<std::pair<yaml_mark_t, yaml_mark_t>> long_quote_;  // the last quoted scalar over several lines
};

class YamlWriter {
 public:
  YamlWriter();
  ~YamlWriter();
  YamlWriter(const YamlWriter&) = delete;
  YamlWriter& operator=(const YamlWriter&) = delete;

  // Emits a copy of an event that a reader gave.
  void copy(const yaml_event_t& event);
  // A plain scalar with a tag: `!sealed DATA`.
  void tagged(const std::string& tag, const std::string& value);
  // Ends document and stream: the text.
  std::string finish();

 private:
  void emit(yaml_event_t& event);

  yaml_emitter_t emitter_{};
  std::string text_;
  int flow_ = 0;  // depth of flow collections that are open
};

// "line L, column C" of a mark, both from 1.
std::string place(const yaml_mark_t& mark);

std::string_view scalar_text(const yaml_event_t& event);

}  // namespace jarvis::pipeline
