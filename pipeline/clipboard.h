// The clipboard: the YAML mapping that is handed from task to task. Kept as the bytes it came in; this class checks
// them once by libyaml events (a scanner that refuses what lenient readers lose) and indexes the top-level keys.
// Editing replaces the bytes of one entry and leaves every other byte (quotes, order, comments) as it was.
// Knows nothing of tasks, secrets or journals. Never blocks; memory is bounded by Bounds.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jarvis::pipeline {

// What a clipboard may be at most (CONTRACTS §1). Checked while reading, so that hostile text costs nothing in
// proportion.
struct Bounds {
  std::size_t bytes = 8U << 20U;
  int depth = 64;
  int nodes = 100'000;
  int aliases = 1'000;
};

class Clipboard {
 public:
  // One mapping, or throws Error(Usage) naming line and column (both from 1) of the fault: not UTF-8, not YAML, not a
  // mapping, a second document, over the bounds, a key twice in one mapping, an alias without its anchor or into
  // itself. An unclosed quote is reported where it opens. Text that holds nothing but white space and comments is no
  // clipboard either: see blank().
  static Clipboard parse(std::string text, const Bounds& bounds = {});

  // Text that has passed parse() elsewhere: not read before somebody looks. A task that looks at nothing pays nothing.
  static Clipboard checked(std::string text);

  // True for text that counts as no output: white space, comments, nothing.
  static bool blank(std::string_view text);

  const std::string& text() const { return text_; }
  // Its bytes alone: the index, which is larger than they are, ends with it.
  std::string take() && { return std::move(text_); }

  std::vector<std::string> keys() const;
  bool has(std::string_view key) const { return find(key) != nullptr; }

  // Whether the key is there with a null (nothing, ~ or null, unquoted), or with a mapping.
  bool null(std::string_view key) const;
  bool mapping(std::string_view key) const;

  // The value as a scalar, as its reader sees it (quotes and escapes resolved); nothing if the key is absent, null
  // (empty, ~ or null, unquoted) or not a scalar.
  std::optional<std::string> scalar(std::string_view key) const;
  // scalar(), or Error(Usage) "KEY: missing".
  std::string require(std::string_view key) const;
  // The items of a list of scalars, a single scalar as a list of one, and empty if absent. Error(Usage) for anything
  // else.
  std::vector<std::string> list(std::string_view key) const;
  // A mapping of scalars in order; empty if absent. Error(Usage) for anything else.
  std::vector<std::pair<std::string, std::string>> map(std::string_view key) const;
  // The bytes of the value as they stand (for a reader with structure of its own), empty if absent.
  std::string_view raw(std::string_view key) const;
  // 1-based line and column of the key, for messages; {0, 0} if absent.
  std::pair<int, int> where(std::string_view key) const;

  // Replace or append one entry. Values that a YAML 1.1 or 1.2 reader would take for something else than the string
  // are quoted; several lines become a literal block.
  void set(std::string_view key, std::string_view value);
  void set_list(std::string_view key, const std::vector<std::string>& values);
  void set_map(std::string_view key, const std::vector<std::pair<std::string, std::string>>& values);
  // Replace or append one entry by finished YAML text of its value ("[a, b]"); throws if that is not one node.
  void set_raw(std::string_view key, std::string_view yaml);
  void erase(std::string_view key);
  // Replace or append one entry by the same entry of another clipboard, as it is written there.
  void copy(const Clipboard& from, std::string_view key);

  // The same mapping in block style with keys at column 0, quotes kept, no "---", final newline. Comments are lost.
  Clipboard block_style() const;

 private:
  struct Entry {
    std::string key;
    std::size_t begin;  // of the key
    std::size_t value;  // of the value's node (after "key:" and blanks)
    std::size_t end;    // one past the entry's last byte, its newline included when there is one
    int line, column;   // of the key, from 1
    bool is_scalar, is_plain, is_mapping;
    std::string scalar;  // resolved text
  };
  explicit Clipboard(std::string text) : text_(std::move(text)) {}
  const Entry* find(std::string_view key) const;
  void replace(std::string_view key, const std::string& entry_text);
  void index(const Bounds& bounds) const;
  const std::vector<Entry>& entries() const;

  std::string text_;
  // Made when first needed.
  mutable std::vector<Entry> entries_;
  mutable bool indexed_ = false;
  mutable bool editable_ = false;  // root is a plain block mapping at column 0
};

// Every scalar that stands under one of `keys` (a key name at any depth), resolved: the values to blank in logs.
// `text` must have passed Clipboard::parse.
std::vector<std::string> scalars_under(const std::string& text, const std::function<bool(std::string_view)>& is_key);

}  // namespace jarvis::pipeline
