// The one table of commands: the command line is the chat grammar. Name, arguments, what reads a spec, where it may be
// said, help. Data only; the functions stand in commands.h under the same names.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jarvis::bot {

struct CommandRow {
  const char* name;
  const char* arguments;  // as shown
  const char* help;       // one line
  const char* example;
  enum class Input { None, Specs, SpecOrHost, Clipboard } input = Input::None;
  int at_least = 0, at_most = 0;          // words behind the name; at_most -1: any number
  std::vector<const char*> options = {};  // with a value: "--after=", without: "--reveal"
  enum class Where { Anywhere, CommandLine } where = Where::Anywhere;
  bool changes = false;  // more than looking
};

std::span<const CommandRow> command_table();
// nullptr if there is none.
const CommandRow* find_command(std::string_view name);
// Error(Usage) "unknown command X, did you mean Y?"
const CommandRow& require_command(std::string_view name);

// A command as somebody gave it, checked against its row.
struct Invocation {
  const CommandRow* row = nullptr;
  std::vector<std::string> words;              // behind the name
  std::map<std::string, std::string> options;  // of the row, without dashes; a flag's value is "yes"
  // Common options, before or after the command.
  std::string config, state;
  bool json = false, quiet = false, detach = false;
};

// `because` and everything behind it is one option of its own ("because"). Error(Usage) for what the row does not know,
// with an example that can be given there: in chat no file stands in it.
enum class Medium { Terminal, Chat };
Invocation parse_invocation(const std::vector<std::string>& arguments, Medium medium = Medium::Terminal);

// `help`, `help COMMAND`.
std::string help_text(const std::string& command);
// The same in chat, at most three lines of at most 400 bytes; the last one of `help COMMAND` is an example, ready to be
// said.
std::string chat_help(const std::string& command);

}  // namespace jarvis::bot
