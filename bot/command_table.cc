#include "bot/command_table.h"

#include <algorithm>

#include "pipeline/error.h"

namespace jarvis::bot {

using pipeline::Error;
using pipeline::Kind;

namespace {

using Input = CommandRow::Input;
using Where = CommandRow::Where;

const CommandRow kCommands[] = {
    {"serve",
     "",
     "the bot: carries runs until it is stopped, resumes what was interrupted",
     "jarvis serve",
     Input::None,
     0,
     0,
     {},
     Where::CommandLine},
    {"deploy",
     "SPEC...",
     "makes the host of each spec, through all its stages",
     "jarvis deploy loki.yaml",
     Input::Specs,
     1,
     -1,
     {},
     Where::Anywhere,
     true},
    {"redeploy",
     "SPEC",
     "deletes the machine and makes it anew; asks first",
     "jarvis redeploy loki.yaml",
     Input::Specs,
     1,
     1,
     {},
     Where::Anywhere,
     true},
    {"destroy",
     "HOST",
     "deletes the machine; asks first",
     "jarvis destroy loki",
     Input::None,
     1,
     1,
     {},
     Where::Anywhere,
     true},
    {"adopt",
     "HOST [PROVIDER]",
     "takes over a machine that jarvis did not make; asks first",
     "jarvis adopt loki.websages.com",
     Input::None,
     1,
     2,
     {},
     Where::Anywhere,
     true},
    {"plan",
     "SPEC or HOST",
     "what would run, what would change, what is missing; changes nothing",
     "jarvis plan loki.yaml",
     Input::SpecOrHost,
     1,
     1,
     {"--operation="}},
    {"status", "[HOST or RUN]", "where it stands and how long it usually takes", "jarvis status loki", Input::None, 0,
     1},
    {"history", "HOST", "its runs, newest first", "jarvis history loki", Input::None, 1, 1},
    {"explain", "HOST or RUN", "why its run is where it is, and what goes on", "jarvis explain loki", Input::None, 1,
     1},
    {"logs", "HOST [TASK]", "what the tasks of its newest run said", "jarvis logs loki ssh:wait", Input::None, 1, 2},
    {"confirm",
     "CODE",
     "lets a run go on that deletes something",
     "jarvis confirm k3xw9a",
     Input::None,
     1,
     1,
     {},
     Where::Anywhere,
     true},
    {"cancel",
     "HOST",
     "ends its run and takes back what can be",
     "jarvis cancel loki",
     Input::None,
     1,
     1,
     {},
     Where::Anywhere,
     true},
    {"retry",
     "HOST [from TASK] [--skip TASK because REASON]",
     "goes on where its run failed or was interrupted",
     "jarvis retry loki",
     Input::None,
     1,
     3,
     {"--skip=", "because="},
     Where::Anywhere,
     true},
    {"hosts",
     "[--orphans]",
     "what carries jarvis's marks at every provider, and what no run accounts for",
     "jarvis hosts --orphans",
     Input::None,
     0,
     0,
     {"--orphans"}},
    {"providers", "[NAME [WORD...]]", "regions, types and images that a provider offers",
     "jarvis providers linode type 2048", Input::None, 0, -1},
    {"hold",
     "HOST because REASON",
     "no run of this host begins until it is released",
     "jarvis hold loki because the disk is being looked at",
     Input::None,
     1,
     1,
     {"because="},
     Where::Anywhere,
     true},
    {"release", "HOST", "lets a held host go", "jarvis release loki", Input::None, 1, 1, {}, Where::Anywhere, true},
    {"freeze",
     "[because REASON]",
     "no new task begins anywhere; what is at work ends",
     "jarvis freeze because the data centre is being moved",
     Input::None,
     0,
     0,
     {"because="},
     Where::Anywhere,
     true},
    {"thaw", "", "tasks begin again", "jarvis thaw", Input::None, 0, 0, {}, Where::Anywhere, true},
    {"follow", "HOST", "tells you of every stage", "jarvis follow loki", Input::None, 1, 1},
    {"quiet", "HOST", "tells you of nothing but the end", "jarvis quiet loki", Input::None, 1, 1},
    {"whoami", "", "who jarvis sees in you, and what you may do", "jarvis whoami", Input::None, 0, 0},
    {"audit", "[HOST]", "who did what, verified", "jarvis audit loki", Input::None, 0, 1},
    {"replay",
     "CLIPBOARD [--operation NAME] [--from TASK] [--only TASK]",
     "a new run of the action list on a saved clipboard",
     "jarvis replay loki.clipboard --from ssh:wait",
     Input::Clipboard,
     1,
     1,
     {"--operation=", "--from=", "--only="},
     Where::CommandLine,
     true},
    {"clipboard",
     "HOST or RUN [--after TASK] [--reveal]",
     "the clipboard as YAML, secrets sealed",
     "jarvis clipboard loki > loki.clipboard",
     Input::None,
     1,
     1,
     {"--after=", "--reveal"},
     Where::CommandLine},
    {"task",
     "MODULE:TASK",
     "one task by hand: clipboard on standard input, clipboard on standard output",
     "jarvis task ssh:fingerprints < loki.clipboard",
     Input::None,
     1,
     1,
     {"--confirm="},
     Where::CommandLine,
     true},
    {"check",
     "",
     "is the configuration right, and can this machine do what it asks for",
     "jarvis check",
     Input::None,
     0,
     0,
     {},
     Where::CommandLine},
    {"help", "[COMMAND or tasks]", "this, or more about one command, or the table of tasks", "jarvis help deploy",
     Input::None, 0, 1},
};

bool is_flag(const CommandRow& row, const std::string& name) {
  return std::any_of(row.options.begin(), row.options.end(), [&](const char* one) { return one == "--" + name; });
}

bool takes_value(const CommandRow& row, const std::string& name) {
  return std::any_of(row.options.begin(), row.options.end(),
                     [&](const char* one) { return one == "--" + name + "=" || one == name + "="; });
}

std::vector<std::string> option_names(const CommandRow* row) {
  std::vector<std::string> names = {"--state", "--json", "--quiet", "--detach"};
  if (row != nullptr) {
    for (const std::string one : row->options) names.push_back(one.substr(0, one.find('=')));
  }
  return names;
}

[[noreturn]] void unknown_option(const CommandRow* row, const std::string& option) {
  std::string text = "unknown option " + option;
  if (const auto near = pipeline::nearest(option, option_names(row))) text += ", did you mean " + *near + "?";
  throw Error(Kind::Usage, text);
}

bool reads_specs(const CommandRow& row) {
  return row.input == Input::Specs || row.input == Input::SpecOrHost;
}

std::string example_of(const CommandRow& row, Medium medium) {
  if (medium == Medium::Terminal || !reads_specs(row)) return row.example;
  return std::string("jarvis ") + row.name + " https://gist.github.com/912450";
}

std::string usage_of(const CommandRow& row) {
  return std::string("jarvis ") + row.name + (row.arguments[0] != '\0' ? " " : "") + row.arguments;
}

void check_words(const Invocation& made, Medium medium) {
  const CommandRow& row = *made.row;
  const int count = static_cast<int>(made.words.size());
  if (count >= row.at_least && (row.at_most < 0 || count <= row.at_most)) return;
  const std::string usage = medium == Medium::Chat ? "`" + usage_of(row) + "`" : usage_of(row);
  throw Error(Kind::Usage, std::string(count < row.at_least ? "too little" : "too much") + " behind `" + row.name +
                               "`: " + usage + ", as in `" + example_of(row, medium) + "`");
}

}  // namespace

std::span<const CommandRow> command_table() {
  return kCommands;
}

const CommandRow* find_command(std::string_view name) {
  for (const CommandRow& row : kCommands) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

const CommandRow& require_command(std::string_view name) {
  if (const CommandRow* row = find_command(name)) return *row;
  std::vector<std::string> names;
  for (const CommandRow& row : kCommands) names.emplace_back(row.name);
  const auto near = pipeline::nearest(name, names);
  throw Error(Kind::Usage, "unknown command " + std::string(name) +
                               (near ? ", did you mean " + *near + "?" : "; `jarvis help` lists them"));
}

Invocation parse_invocation(const std::vector<std::string>& arguments, Medium medium) {
  Invocation made;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string one = arguments[i];
    const auto value = [&](const std::string& option) {
      const std::size_t equals = one.find('=');
      if (equals != std::string::npos && one.starts_with("--")) return one.substr(equals + 1);
      if (++i == arguments.size()) throw Error(Kind::Usage, option + " needs a value");
      return arguments[i];
    };
    const std::string option = one.substr(0, one.find('='));
    if (one == "-h" || one == "--help") {
      if (made.row != nullptr) made.words = {made.row->name};
      made.row = &require_command("help");
      return made;
    }
    if (one == "--version") {
      made.words = {"version"};
      made.row = &require_command("help");
      return made;
    }
    if (one == "-c" || option == "--config") {
      made.config = value(option);
    } else if (option == "--state") {
      made.state = value(option);
    } else if (one == "--json") {
      made.json = true;
    } else if (one == "--quiet" || one == "-q") {
      made.quiet = true;
    } else if (one == "--detach") {
      made.detach = true;
    } else if (one.size() > 1 && one[0] == '-') {
      const std::string name = one.starts_with("--") ? option.substr(2) : one;
      if (made.row != nullptr && is_flag(*made.row, name)) {
        made.options[name] = "yes";
      } else if (made.row != nullptr && takes_value(*made.row, name)) {
        made.options[name] = value(option);
      } else {
        unknown_option(made.row, one);
      }
    } else if (made.row == nullptr) {
      made.row = &require_command(one);
    } else if (one == "because" && takes_value(*made.row, "because")) {
      std::string reason;
      for (++i; i < arguments.size(); ++i) reason += (reason.empty() ? "" : " ") + arguments[i];
      if (reason.empty()) throw Error(Kind::Usage, "because: the reason is missing");
      made.options["because"] = reason;
    } else {
      made.words.push_back(one);
    }
  }
  if (made.row == nullptr) throw Error(Kind::Usage, "a command is missing\n" + help_text(""));
  check_words(made, medium);
  return made;
}

std::string help_text(const std::string& command) {
  std::string text;
  if (command == "version") return "jarvis " JARVIS_VERSION;
  if (!command.empty()) {
    const CommandRow& row = require_command(command);
    text = usage_of(row) + "\n  " + row.help + "\n  example: " + row.example;
    if (reads_specs(row))
      text += "\n  SPEC is a YAML file, - for standard input, a https URL (a gist), or cn=NAME in LDAP";
    return text;
  }
  text = "jarvis COMMAND ... [-c FILE] [--state DIR] [--json] [--quiet] [--detach]\n";
  for (const CommandRow& row : kCommands) {
    std::string left = std::string("  ") + row.name + " " + row.arguments;
    if (left.size() > 30) left += "\n" + std::string(32, ' ');
    left.resize(std::max<std::size_t>(left.size(), 32), ' ');
    text += left + row.help + "\n";
  }
  return text + "`jarvis help COMMAND` shows an example, `jarvis help tasks` the tasks";
}

std::string chat_help(const std::string& command) {
  if (command == "version") return help_text(command);
  if (command == "tasks") throw Error(Kind::Refused, "help tasks is for the command line only");
  if (!command.empty()) {
    const CommandRow& row = require_command(command);
    if (row.where == Where::CommandLine)
      throw Error(Kind::Refused, std::string(row.name) + " is for the command line only");
    std::string text = usage_of(row) + ": " + row.help;
    if (reads_specs(row)) text += "\nSPEC is a https URL (a gist) or an LDAP name (cn=loki), for example:";
    return text + "\n" + example_of(row, Medium::Chat);
  }
  std::string names;
  for (const CommandRow& row : kCommands) {
    if (row.where == Where::Anywhere) names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return "I make hosts and keep at it until they work. Commands: " + names +
         "\nSPEC is a https URL (a gist) or an LDAP name (cn=loki); HOST is a host's name; I tell here how runs go"
         "\n`jarvis help deploy` shows an example, `jarvis whoami` what you may do";
}

}  // namespace jarvis::bot
