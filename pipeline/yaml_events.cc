#include "pipeline/yaml_events.h"

#include <algorithm>
#include <new>
#include <string>

#include "pipeline/error.h"

namespace jarvis::pipeline {

namespace {

yaml_char_t* chars(const yaml_char_t* text) {
  return const_cast<yaml_char_t*>(text);
}

// Line and column of a byte offset, for the reader's own faults (bad UTF-8), which carry no mark.
std::string place_of_byte(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const std::size_t newline = before.rfind('\n');
  const auto line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  const std::size_t column = (newline == std::string_view::npos ? before.size() : before.size() - newline - 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace

std::string place(const yaml_mark_t& mark) {
  return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1);
}

std::string_view scalar_text(const yaml_event_t& event) {
  return {reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length};
}

YamlReader::YamlReader(std::string_view text) : text_(text) {
  if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
  yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);  // no guessing: UTF-16 is refused as what it is, not UTF-8
}

YamlReader::~YamlReader() {
  if (has_event_) yaml_event_delete(&event_);
  yaml_parser_delete(&parser_);
}

const yaml_event_t& YamlReader::next() {
  if (has_event_) yaml_event_delete(&event_);
  has_event_ = false;
  if (yaml_parser_parse(&parser_, &event_) == 0) fail();
  has_event_ = true;
  if (event_.type == YAML_SCALAR_EVENT && event_.start_mark.line != event_.end_mark.line &&
      (event_.data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
       event_.data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)) {
    long_quote_ = {event_.start_mark, event_.end_mark};
  }
  return event_;
}

void YamlReader::fail() {
  if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
  const std::string problem = parser_.problem != nullptr ? parser_.problem : "not YAML";
  if (parser_.error == YAML_READER_ERROR) {
    throw Error(Kind::Usage, place_of_byte(text_, parser_.problem_offset) + ": " + problem);
  }
  const std::string context = parser_.context != nullptr ? parser_.context : "";
  // libyaml's own mark is the end of the text; a person wants to know where the quote opens.
  if (context == "while scanning a quoted scalar" &&
      (problem == "found unexpected end of stream" || problem == "found unexpected document indicator")) {
    throw Error(Kind::Usage, place(parser_.context_mark) + ": the quote that opens here is never closed");
  }
  if (problem == "found character that cannot start any token" && parser_.problem_mark.index < text_.size() &&
      text_[byte_of(parser_.problem_mark)] == '\t') {
    throw Error(Kind::Usage, place(parser_.problem_mark) + ": a tab; YAML is indented with blanks");
  }
  std::string text = place(parser_.problem_mark) + ": " + problem;
  if (!context.empty()) text += " " + context;
  if (long_quote_) {
    text += "; the quote that opens at " + place(long_quote_->first) + " closes only at " + place(long_quote_->second) +
            ": is a closing quote missing?";
  }
  throw Error(Kind::Usage, text);
}

std::size_t YamlReader::byte_of(const yaml_mark_t& mark) {
  if (mark.index < character_) character_ = byte_ = 0;
  while (character_ < mark.index && byte_ < text_.size()) {
    ++byte_;
    while (byte_ < text_.size() && (static_cast<unsigned char>(text_[byte_]) & 0xC0U) == 0x80U) ++byte_;
    ++character_;
  }
  return byte_;
}

YamlWriter::YamlWriter() {
  if (yaml_emitter_initialize(&emitter_) == 0) throw std::bad_alloc();
  yaml_emitter_set_output(
      &emitter_,
      [](void* data, unsigned char* buffer, std::size_t size) {
        static_cast<std::string*>(data)->append(reinterpret_cast<const char*>(buffer), size);
        return 1;
      },
      &text_);
  yaml_emitter_set_unicode(&emitter_, 1);
  yaml_emitter_set_width(&emitter_, -1);
  yaml_event_t event;
  yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
  emit(event);
  yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1);
  emit(event);
}

YamlWriter::~YamlWriter() {
  yaml_emitter_delete(&emitter_);
}

void YamlWriter::emit(yaml_event_t& event) {
  if (yaml_emitter_emit(&emitter_, &event) == 0) {
    throw Error(Kind::Bug, std::string("printing YAML: ") + (emitter_.problem != nullptr ? emitter_.problem : "?"));
  }
}

void YamlWriter::copy(const yaml_event_t& event) {
  yaml_event_t made;
  int ok = 1;
  switch (event.type) {
    case YAML_ALIAS_EVENT:
      ok = yaml_alias_event_initialize(&made, chars(event.data.alias.anchor));
      break;
    case YAML_SCALAR_EVENT: {
      const auto& scalar = event.data.scalar;
      // The emitter would turn an empty plain value inside [] or {} into '', a string; ~ is the same null in words.
      const bool null_in_flow = flow_ > 0 && scalar.length == 0 && scalar.style == YAML_PLAIN_SCALAR_STYLE;
      static yaml_char_t tilde[] = "~";
      ok = yaml_scalar_event_initialize(&made, chars(scalar.anchor), chars(scalar.tag),
                                        null_in_flow ? tilde : chars(scalar.value),
                                        null_in_flow ? 1 : static_cast<int>(scalar.length), scalar.plain_implicit,
                                        scalar.quoted_implicit, scalar.style);
      break;
    }
    case YAML_SEQUENCE_START_EVENT: {
      const auto& start = event.data.sequence_start;
      if (flow_ > 0 || start.style == YAML_FLOW_SEQUENCE_STYLE) ++flow_;
      ok = yaml_sequence_start_event_initialize(&made, chars(start.anchor), chars(start.tag), start.implicit,
                                                start.style);
      break;
    }
    case YAML_MAPPING_START_EVENT: {
      const auto& start = event.data.mapping_start;
      if (flow_ > 0 || start.style == YAML_FLOW_MAPPING_STYLE) ++flow_;
      ok = yaml_mapping_start_event_initialize(&made, chars(start.anchor), chars(start.tag), start.implicit,
                                               start.style);
      break;
    }
    case YAML_SEQUENCE_END_EVENT:
      if (flow_ > 0) --flow_;
      ok = yaml_sequence_end_event_initialize(&made);
      break;
    case YAML_MAPPING_END_EVENT:
      if (flow_ > 0) --flow_;
      ok = yaml_mapping_end_event_initialize(&made);
      break;
    default:
      return;
  }
  if (ok == 0) throw std::bad_alloc();
  emit(made);
}

void YamlWriter::tagged(const std::string& tag, const std::string& value) {
  yaml_event_t event;
  if (yaml_scalar_event_initialize(&event, nullptr, reinterpret_cast<const yaml_char_t*>(tag.c_str()),
                                   reinterpret_cast<const yaml_char_t*>(value.data()), static_cast<int>(value.size()),
                                   0, 0, YAML_PLAIN_SCALAR_STYLE) == 0) {
    throw std::bad_alloc();
  }
  emit(event);
}

std::string YamlWriter::finish() {
  yaml_event_t event;
  yaml_document_end_event_initialize(&event, 1);
  emit(event);
  yaml_stream_end_event_initialize(&event);
  emit(event);
  return std::move(text_);
}

}  // namespace jarvis::pipeline
