// What a run waits for, as text.
#include "pipeline/demand.h"

#include <doctest/doctest.h>

using namespace jarvis::pipeline;

TEST_CASE("demand: as it was, from its text") {
  const std::vector<std::vector<std::string>> people = {{}, {"odin"}, {"odin", "freya"}, {"", "uid 0"}};
  for (const auto& approvers : people) {
    for (const std::string& asker : {std::string(), std::string("thor"), std::string("thor (of asgard)")}) {
      const Demand demand{"k3xw9a", 3, asker, approvers};
      CAPTURE(demand.text());
      const Demand read = Demand::from(demand.text());
      CHECK(read.code == demand.code);
      CHECK(read.needed == 3);
      CHECK(read.asker == asker);
      CHECK(read.approvers == approvers);
      CHECK(read.missing() == 3 - static_cast<int>(approvers.size()));
    }
  }
}

TEST_CASE("demand: of an older jarvis, a code alone; and of none") {
  const Demand old = Demand::from("k3xw9a");
  CHECK(old.code == "k3xw9a");
  CHECK(old.missing() == 1);
  CHECK(Demand::from("").code.empty());
  CHECK(Demand::from("a\nmany\nthor").missing() == 1);
}
