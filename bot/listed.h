// What the tasks `machines` and `offers` of a provider list (docs/workers.md), as it stands on the clipboard they
// leave: JSON or any other YAML. Pure. A worker's text may come from anywhere, so nothing in it keeps a control
// character.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/wall_time.h"

namespace jarvis::bot {

// Something that carries our marks.
struct Thing {
  std::string provider, kind, id, name;
  std::string host, run, step;  // of the marks
  std::optional<pipeline::Time> created;
  std::string shown;
  std::string machine;  // the id of the machine that has it; empty for machines and for what is left
  std::optional<double> monthly;
  std::string currency;
};

// What is offered to specs.
struct Offered {
  std::string kind, id, label, shown;
  std::optional<double> monthly;
  std::string currency;
};

// Error(Usage) saying what is wrong with the list. `clipboard` has passed the pipeline's check.
std::vector<Thing> read_machines(const std::string& provider, const std::string& clipboard);
std::vector<Offered> read_offers(const std::string& clipboard);

// Whether every word stands in kind (also with an s: `types`), id, label or description; letters without case.
bool fits_words(const Offered& offered, const std::vector<std::string>& words);

// RFC 3339 with any offset; nothing for other text.
std::optional<pipeline::Time> time_from(const std::string& text);
// "5.00 USD"; "5.00 USD + 3.00 EUR" of several.
class Sum {
 public:
  void add(const std::optional<double>& monthly, const std::string& currency);
  bool empty() const { return amounts_.empty(); }
  std::string text() const;

 private:
  std::vector<std::pair<std::string, double>> amounts_;  // by currency, in order of coming
};

}  // namespace jarvis::bot
