// What providers list, and the same as JSON in one line (which is YAML, so that it can stand on a clipboard). Pure;
// knows no API.
//   machines: kind id name fqdn run step created shown machine monthly currency
//   offers:   kind id label shown monthly currency
// `monthly` is a number or null, `machine` null where there is none.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace jarvis::providers {

// What jarvis writes on a machine in the very call that creates it (CONTRACTS §4): whose it is and which step made it.
struct Marks {
  std::string fqdn, run, step;
};

// What carries our marks: a machine, a volume or disk, an address that costs money.
struct Owned {
  std::string kind;  // machine, volume, address
  std::string id, name;
  Marks marks;
  std::string created, shown;
  std::string machine;  // the id of the machine that has it; empty for machines and for what is left
  std::optional<double> monthly;
  std::string currency = "USD";
};

// What is offered to specs.
struct Offer {
  std::string kind;  // region, type, image
  std::string id, label, shown;
  std::optional<double> monthly;
  std::string currency = "USD";
};

std::string json_of(const std::vector<Owned>& owned);
std::string json_of(const std::vector<Offer>& offers);

}  // namespace jarvis::providers
