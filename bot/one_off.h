// One attempt of one task outside any run: no lock, no journal, no forkserver that stays. For `task` and `check`.
// Blocks.
#pragma once

#include <memory>
#include <string>

#include "bot/house.h"

namespace jarvis::bot {

class OneOff {
 public:
  // `settings` and `table` must outlive it. SIGINT and SIGTERM end the attempt and the process.
  OneOff(const Settings& settings, const pipeline::TaskTable& table, const Installation& installation,
         const pipeline::Seal& seal);
  ~OneOff();

  pipeline::AttemptResult attempt(const pipeline::TaskRow& row, const pipeline::AttemptNames& names,
                                  const std::string& clipboard);
  // What a clipboard that came out of it is. Error(Usage) when it is none.
  pipeline::Facts check(const std::string& clipboard);
  pipeline::Workshop& shop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace jarvis::bot
