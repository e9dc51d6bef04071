// Why a run is where it is: what it waits for and until when, what was tried, what was skipped, what an undo would take
// back, how to go on. Made from what the journal and the live run say; pure.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/demand.h"
#include "pipeline/journal.h"
#include "pipeline/pipeline.h"

namespace jarvis::bot {

struct Circumstances {
  std::string host;  // as people call it
  pipeline::RunView view;
  pipeline::RunRecord record;                      // with its steps
  std::vector<pipeline::AttemptRecord> attempts;   // in order, without logs
  std::optional<std::chrono::milliseconds> spent;  // of the step's deadline, while somebody carries it
  bool worker = false;                             // a process is at work
  std::optional<pipeline::Hold> hold, frozen;      // of the host, of everything
  std::optional<pipeline::RunView> holder;         // another run, which has the host now
  std::optional<pipeline::Demand> demand;          // while it waits to be confirmed
  pipeline::Time now{};
};

struct Explanation {
  // Attempts one after the other that ended alike.
  struct Tries {
    int first = 0, last = 0;
    std::string outcome;  // as `logs` says it
    std::string words;
    pipeline::Time started{};
    std::optional<pipeline::Time> ended;
  };
  struct Task {
    pipeline::StepRecord step;
    std::vector<Tries> tries;
  };
  struct Undo {
    std::string task, undoes;
  };
  std::string line;              // where it stands
  std::vector<std::string> why;  // sentences
  std::string waits_for;         // worker again place confirmation thaw journal; empty: nothing
  std::optional<pipeline::Time> until, deadline;
  std::vector<Task> tasks;
  int stands_at = -1;  // among them
  std::vector<Undo> undo;
  std::string next;  // what a person may do
};

Explanation explanation_of(const Circumstances& known);

// All of it, for a terminal; in chat at most six lines.
std::vector<std::string> explained(const Explanation& what, const Circumstances& known);
std::vector<std::string> explained_in_short(const Explanation& what);
// docs/json.md
nlohmann::json json_of(const Explanation& what, const Circumstances& known);

}  // namespace jarvis::bot
