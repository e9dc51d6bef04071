// What an undo takes back, and in which order. Pure.
#pragma once

#include <vector>

#include "pipeline/journal.h"

namespace jarvis::pipeline {

// Indexes of the steps, newest first: those that are done, whose row names an undo, and whose effect the plan itself
// has not taken back since, or has just failed to. Of a run that goes on: what would be taken back if it ended here.
std::vector<int> to_take_back(const std::vector<StepRecord>& steps);

// Where a run stands or failed: the first step of its plan that is still to be done; -1: none.
int where_it_stands(const std::vector<StepRecord>& steps);

}  // namespace jarvis::pipeline
