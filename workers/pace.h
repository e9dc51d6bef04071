// How fast one API is asked, by all processes of this state directory together: a file with the time at which the next
// call is due (generic cell rate algorithm: `burst` calls at once, then `per_second`). Knows no API.
#pragma once

#include <filesystem>

namespace jarvis::workers {

class Pace {
 public:
  // `file` is made when missing (mode 0600, its directory 0700).
  Pace(std::filesystem::path file, double per_second, double burst);
  // Takes the next turn and blocks until it comes, some seconds at most; a turn that is farther away is not taken:
  // Error(Transient) says when to ask again, so that nobody waits in a process. Error(Permanent) when the file cannot
  // be used.
  void take();

 private:
  std::filesystem::path file_;
  double per_second_, burst_;
};

}  // namespace jarvis::workers
