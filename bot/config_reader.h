// One YAML configuration file, read so that everything wrong with it is told at once, each fault with its place:
// "FILE:LINE:COL: KEY: what is wrong". Shared by the settings and the action lists. Knows the forms of values, no keys.
//
// A Section is asked for each key it may hold; done() then refuses the others, so the list of known keys is the code
// that reads them. A value that is absent, null or wrong reads as nothing (a wrong one is noted as a fault). Values and
// Sections refer to their ConfigFile, which must outlive them.
#pragma once

#include <yaml-cpp/node/node.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jarvis::bot {

class ConfigFile;

enum class Existing { MustBe, MayBe };  // of the file that a path names

// One value with its place and its full name ("workers.demo.timeout").
class Value {
 public:
  Value(ConfigFile& file, std::string key, std::string name, int line, int column, const YAML::Node& node)
      : file_(file), key_(std::move(key)), name_(std::move(name)), line_(line), column_(column), node_(node) {}

  const std::string& key() const { return key_; }
  const std::string& name() const { return name_; }
  int line() const { return line_; }
  int column() const { return column_; }
  const YAML::Node& node() const { return node_; }
  ConfigFile& file() const { return file_; }

  // Notes "NAME: TEXT" as a fault at this place.
  void refuse(const std::string& text) const;

  std::optional<std::string> text() const;
  std::optional<bool> flag() const;
  std::optional<std::int64_t> number(std::int64_t least, std::int64_t most) const;
  std::optional<std::chrono::milliseconds> duration() const;
  std::optional<std::uint64_t> size(std::uint64_t least, std::uint64_t most) const;
  // Absolute; a relative one is taken from the configuration file's directory.
  std::optional<std::filesystem::path> path(Existing existing) const;
  // A list of values; a single one counts as a list of one.
  std::vector<Value> items() const;
  std::vector<std::string> texts() const;

 private:
  bool is_scalar(const char* wanted) const;

  ConfigFile& file_;
  std::string key_, name_;
  int line_, column_;
  YAML::Node node_;
};

// One mapping. Null counts as an empty one; anything else is noted as a fault and reads as empty.
class Section {
 public:
  explicit Section(const Value& value);

  std::optional<Value> take(std::string_view key);  // nothing if absent or null
  std::vector<Value> take_all();                    // of a mapping whose keys are names; null values too
  bool has(std::string_view key) const;             // null or not; does not take it

  std::optional<std::string> text(std::string_view key);
  std::optional<bool> flag(std::string_view key);
  std::optional<std::int64_t> number(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<std::chrono::milliseconds> duration(std::string_view key);
  std::optional<std::filesystem::path> path(std::string_view key, Existing existing);
  std::vector<std::string> texts(std::string_view key);

  // Refuses every key that was not asked for, with the nearest one that was.
  void done();

 private:
  struct Entry {
    Value value;
    bool taken = false;
  };
  Value self_;
  std::vector<Entry> entries_;
  std::vector<std::string> known_;
};

class ConfigFile {
 public:
  // Reads the file. Error(Usage) if it cannot be read or is no YAML mapping (empty files are); the faults in its values
  // are only noted. Blocks on the disk.
  explicit ConfigFile(const std::filesystem::path& file);
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  Section root();
  const std::string& name() const { return name_; }
  const std::filesystem::path& directory() const { return directory_; }

  void note_fault(int line, int column, const std::string& text);
  bool sound() const { return faults_.empty(); }
  std::string faults() const;  // one per line in order of place, no last newline
  void throw_faults() const;   // Error(Usage) with faults(), if there are any

 private:
  struct Fault {
    int line, column;
    std::string text;
  };
  std::string name_;                 // as the caller wrote it
  std::filesystem::path directory_;  // absolute
  YAML::Node root_;
  std::vector<Fault> faults_;
};

// The text of a regular file of at most `most` bytes. Error(Usage) naming file and reason.
std::string read_text_file(const std::filesystem::path& file, std::size_t most);

}  // namespace jarvis::bot
