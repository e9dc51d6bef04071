// The person's end of a command: sends it over the control socket, prints what comes back, asks at the terminal.
// Blocking; knows no run and no journal, only the messages of session.h.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bot/command_table.h"

namespace jarvis::bot {

struct FrontRequest {
  std::vector<std::string> arguments;  // as given on the command line
  Invocation invocation;
  std::map<std::string, std::string> inputs;        // SPEC and CLIPBOARD arguments: name as given -> bytes
  std::map<std::string, std::string> input_errors;  // or why they cannot be read; told with all other faults
};

// Reads the files that the command's row says are read ("-" is standard input), at most 8 MiB each.
FrontRequest make_request(const std::vector<std::string>& arguments);

struct FrontResult {
  bool begun = false;  // the other end said hello: the command may have begun
  int status = 6;
};
// Talks until the other end says exit or goes away. Owns the descriptor.
FrontResult converse(int socket, const FrontRequest& request);

// For a process that only talks: Ctrl-C leaves the conversation (or answers a question with no), the run goes on.
void hear_interrupts();

// A socket connected to `path`, or -1 with errno.
int connect_to(const std::filesystem::path& path);

}  // namespace jarvis::bot
