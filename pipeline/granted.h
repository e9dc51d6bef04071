// What the configuration gives a module's worker besides the JARVIS_* variables.
#pragma once

#include <string>
#include <vector>

namespace jarvis::pipeline {

struct Granted {
  std::vector<std::string> environment;  // NAME=value
  std::vector<std::string> credentials;  // values among them that are secret: blanked in whatever the worker says
};

}  // namespace jarvis::pipeline
