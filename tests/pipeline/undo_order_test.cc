#include "pipeline/undo_order.h"

#include <doctest/doctest.h>

#include <string>

namespace jarvis::pipeline {
namespace {

using State = StepRecord::State;

struct Step {
  const char* task;
  State state;
  const char* undo = "";
  int undoes = -1;
};

std::vector<StepRecord> records(const std::vector<Step>& steps) {
  std::vector<StepRecord> made;
  for (const Step& step : steps) {
    StepRecord record;
    record.index = static_cast<int>(made.size());
    record.task = step.task;
    record.state = step.state;
    record.undo = step.undo;
    if (step.undoes >= 0) record.undoes = step.undoes;
    made.push_back(record);
  }
  return made;
}

}  // namespace

TEST_CASE("undo: what is taken back, and in which order") {
  struct Case {
    const char* name;
    std::vector<Step> steps;
    std::vector<int> want;
    int stands;
  };
  for (const Case& c : std::vector<Case>{
           {"nothing is done", {{"a", State::Todo, "x"}}, {}, 0},
           {"newest first", {{"a", State::Done, "x"}, {"b", State::Done, "y"}, {"c", State::Under}}, {1, 0}, 2},
           {"what names no undo stays", {{"a", State::Done}, {"b", State::Done, "y"}, {"c", State::Todo}}, {1}, 2},
           {"the plan took it back itself", {{"a", State::Done, "x"}, {"x", State::Done}, {"c", State::Todo}}, {}, 2},
           {"the plan failed to", {{"a", State::Done, "x"}, {"x", State::Todo}}, {}, 1},
           {"it would have later", {{"a", State::Done, "x"}, {"b", State::Todo}, {"x", State::Todo}}, {0}, 1},
           {"skipped and undone ones",
            {{"a", State::Undone, "x"}, {"b", State::Skipped, "y"}, {"c", State::Done, "z"}, {"x", State::Done, "", 0}},
            {2},
            -1},
       }) {
    CAPTURE(std::string(c.name));
    CHECK(to_take_back(records(c.steps)) == c.want);
    CHECK(where_it_stands(records(c.steps)) == c.stands);
  }
}

}  // namespace jarvis::pipeline
