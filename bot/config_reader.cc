#include "bot/config_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "bot/config_values.h"
#include "pipeline/clipboard.h"
#include "pipeline/error.h"

namespace jarvis::bot {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::size_t kMostConfigBytes = 8U << 20U;
constexpr std::size_t kMostEchoed = 80;

const char* form_of(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    case YAML::NodeType::Scalar:
      return "a single value";
    default:
      return "empty";
  }
}

std::string echoed(const std::string& value) {
  std::string shown = value.substr(0, kMostEchoed);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return "`" + shown + (value.size() > kMostEchoed ? "...`" : "`");
}

// The nearest known key, else the one that the word is the beginning of: `token` for token_file.
std::optional<std::string> meant_by(const std::string& word, const std::vector<std::string>& known) {
  if (auto nearest = pipeline::nearest(word, known)) return nearest;
  for (const std::string& key : known) {
    if (key.rfind(word + "_", 0) == 0) return key;
  }
  return {};
}

std::string error_text(int number) {
  return std::generic_category().message(number);
}

}  // namespace

// --- Value

void Value::refuse(const std::string& text) const {
  file_.note_fault(line_, column_, name_ + ": " + text);
}

bool Value::is_scalar(const char* wanted) const {
  if (node_.IsScalar()) return true;
  refuse(std::string("must be ") + wanted + ", not " + form_of(node_));
  return false;
}

std::optional<std::string> Value::text() const {
  if (!is_scalar("a single value")) return {};
  if (node_.Scalar().empty()) {
    refuse("must not be empty; leave the key out instead");
    return {};
  }
  if (node_.Scalar().find('\0') != std::string::npos) {
    refuse("must not hold a zero byte");
    return {};
  }
  return node_.Scalar();
}

std::optional<bool> Value::flag() const {
  if (!is_scalar("yes or no")) return {};
  const std::string word = lower_case(node_.Scalar());
  if (word == "yes" || word == "true" || word == "on") return true;
  if (word == "no" || word == "false" || word == "off") return false;
  refuse(echoed(node_.Scalar()) + " is neither yes nor no");
  return {};
}

std::optional<std::int64_t> Value::number(std::int64_t least, std::int64_t most) const {
  const std::string wanted = "a number from " + std::to_string(least) + " to " + std::to_string(most);
  if (!is_scalar(wanted.c_str())) return {};
  const auto value = parse_number(node_.Scalar());
  if (value && *value >= least && *value <= most) return value;
  refuse(echoed(node_.Scalar()) + " is not " + wanted);
  return {};
}

std::optional<std::chrono::milliseconds> Value::duration() const {
  if (!is_scalar("a duration")) return {};
  const auto value = parse_duration(node_.Scalar());
  if (!value) refuse(echoed(node_.Scalar()) + " is not a duration; write it like 500ms, 30s, 10m, 1h or 2d");
  return value;
}

std::optional<std::uint64_t> Value::size(std::uint64_t least, std::uint64_t most) const {
  if (!is_scalar("a size")) return {};
  const auto value = parse_size(node_.Scalar());
  if (!value) {
    refuse(echoed(node_.Scalar()) + " is not a size; write it like 4096, 64KiB or 8MiB");
    return {};
  }
  if (*value < least || *value > most) {
    refuse(echoed(node_.Scalar()) + " is not from " + std::to_string(least) + " to " + std::to_string(most) + " bytes");
    return {};
  }
  return value;
}

std::optional<std::filesystem::path> Value::path(Existing existing) const {
  const auto written = text();
  if (!written) return {};
  if (*written == "~" || written->rfind("~/", 0) == 0) {
    refuse("~ is not understood here; write the directory in full");
    return {};
  }
  std::filesystem::path path = (file_.directory() / *written).lexically_normal();
  struct stat found {};
  // What a directory hides from this user may well be there for the one that serves.
  if (existing == Existing::MustBe && ::stat(path.c_str(), &found) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    refuse(path.string() + ": " + error_text(errno));
    return {};
  }
  return path;
}

std::vector<Value> Value::items() const {
  std::vector<Value> items;
  if (!node_.IsSequence()) {
    if (node_.IsScalar()) items.push_back(*this);
    if (node_.IsMap()) refuse("must be a list, not a mapping");
    return items;
  }
  int position = 0;
  for (const YAML::Node& node : node_) {
    const YAML::Mark mark = node.Mark();
    const bool placed = !node.IsNull() && !mark.is_null();
    const std::string name = name_ + "[" + std::to_string(++position) + "]";
    items.emplace_back(file_, key_, name, placed ? mark.line + 1 : line_, placed ? mark.column + 1 : column_, node);
  }
  return items;
}

std::vector<std::string> Value::texts() const {
  std::vector<std::string> texts;
  for (const Value& item : items()) {
    if (auto text = item.text()) texts.push_back(*std::move(text));
  }
  return texts;
}

// --- Section

Section::Section(const Value& value) : self_(value) {
  if (self_.node().IsNull()) return;
  if (!self_.node().IsMap()) {
    self_.refuse(std::string("must be a mapping, not ") + form_of(self_.node()));
    return;
  }
  for (const auto& entry : self_.node()) {
    const YAML::Mark at = entry.first.Mark();
    if (!entry.first.IsScalar()) {
      self_.file().note_fault(at.line + 1, at.column + 1, "a key must be a single word");
      continue;
    }
    const std::string& key = entry.first.Scalar();
    const std::string name = self_.name().empty() ? key : self_.name() + "." + key;
    entries_.push_back({Value(self_.file(), key, name, at.line + 1, at.column + 1, entry.second)});
  }
}

std::optional<Value> Section::take(std::string_view key) {
  known_.emplace_back(key);
  for (Entry& entry : entries_) {
    if (entry.value.key() != key) continue;
    entry.taken = true;
    if (!entry.value.node().IsNull()) return entry.value;
  }
  return {};
}

std::vector<Value> Section::take_all() {
  std::vector<Value> values;
  for (Entry& entry : entries_) {
    entry.taken = true;
    values.push_back(entry.value);
  }
  return values;
}

bool Section::has(std::string_view key) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.value.key() == key; });
}

std::optional<std::string> Section::text(std::string_view key) {
  const auto value = take(key);
  return value ? value->text() : std::nullopt;
}

std::optional<bool> Section::flag(std::string_view key) {
  const auto value = take(key);
  return value ? value->flag() : std::nullopt;
}

std::optional<std::int64_t> Section::number(std::string_view key, std::int64_t least, std::int64_t most) {
  const auto value = take(key);
  return value ? value->number(least, most) : std::nullopt;
}

std::optional<std::chrono::milliseconds> Section::duration(std::string_view key) {
  const auto value = take(key);
  return value ? value->duration() : std::nullopt;
}

std::optional<std::filesystem::path> Section::path(std::string_view key, Existing existing) {
  const auto value = take(key);
  return value ? value->path(existing) : std::nullopt;
}

std::vector<std::string> Section::texts(std::string_view key) {
  const auto value = take(key);
  return value ? value->texts() : std::vector<std::string>();
}

void Section::done() {
  for (const Entry& entry : entries_) {
    if (entry.taken) continue;
    if (const auto meant = meant_by(entry.value.key(), known_)) {
      entry.value.refuse("unknown key, did you mean " + *meant + "?");
      continue;
    }
    std::string known;
    for (const std::string& key : known_) known += (known.empty() ? "" : ", ") + key;
    entry.value.refuse("unknown key; known here: " + known);
  }
}

// --- ConfigFile

ConfigFile::ConfigFile(const std::filesystem::path& file)
    : name_(file.string()), directory_(std::filesystem::absolute(file).lexically_normal().parent_path()) {
  std::string text = read_text_file(file, kMostConfigBytes);
  if (pipeline::Clipboard::blank(text)) return;
  try {
    // yaml-cpp swallows an unclosed quote and keeps a key that stands twice, so it only reads what the strict scanner
    // passed.
    root_.reset(YAML::Load(pipeline::Clipboard::parse(std::move(text)).text()));
  } catch (Error& error) {
    int line = 0;
    int column = 0;
    int length = 0;
    // "line 3, column 5: TEXT", in the form that all other faults of the file have.
    if (std::sscanf(error.what(), "line %d, column %d: %n", &line, &column, &length) < 2 || length == 0) {
      throw error.within(name_);
    }
    note_fault(line, column, error.what() + length);
    throw_faults();
  } catch (const YAML::Exception& error) {
    note_fault(error.mark.line + 1, error.mark.column + 1, error.msg);
    throw_faults();
  }
}

Section ConfigFile::root() {
  return Section(Value(*this, "", "", 1, 1, root_));
}

void ConfigFile::note_fault(int line, int column, const std::string& text) {
  faults_.push_back({line, column, text});
}

std::string ConfigFile::faults() const {
  std::vector<Fault> sorted = faults_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Fault& a, const Fault& b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
  });
  std::string text;
  for (const Fault& fault : sorted) {
    if (!text.empty()) text += '\n';
    text += name_ + ":" + std::to_string(fault.line) + ":" + std::to_string(fault.column) + ": " + fault.text;
  }
  return text;
}

void ConfigFile::throw_faults() const {
  if (!sound()) throw Error(Kind::Usage, faults());
}

std::string read_text_file(const std::filesystem::path& file, std::size_t most) {
  const auto fail = [&](const std::string& why) { return Error(Kind::Usage, file.string() + ": " + why); };
  // Not blocking: a fifo in the place of a file must not stop the reader.
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw fail(error_text(errno));
  std::string text;
  std::string why;
  struct stat found {};
  if (::fstat(fd, &found) != 0) {
    why = error_text(errno);
  } else if (!S_ISREG(found.st_mode)) {
    why = S_ISDIR(found.st_mode) ? "is a directory, not a file" : "is not a regular file";
  }
  char block[65536];
  while (why.empty() && text.size() <= most) {
    const ssize_t n = ::read(fd, block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) why = error_text(errno);
    if (n <= 0) break;
    text.append(block, static_cast<std::size_t>(n));
  }
  ::close(fd);
  if (why.empty() && text.size() > most) why = "is larger than " + std::to_string(most) + " bytes";
  if (!why.empty()) throw fail(why);
  return text;
}

}  // namespace jarvis::bot
