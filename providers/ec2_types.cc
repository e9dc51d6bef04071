#include "providers/ec2_types.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <tuple>

#include "providers/ec2_answer.h"
#include "providers/ec2_nearest.h"
#include "workers/worker.h"

namespace jarvis::providers {

namespace {

using workers::Error;
using workers::Kind;

constexpr const char* kFirstLine = "jarvis-ec2-types-1";

auto order_of(const Ec2Type& type) {
  return std::make_tuple(type.megabytes, !type.can("x86_64"), !type.burstable, !type.nitro, -type.cpus,
                         std::cref(type.id));
}

bool fits(const Ec2Type& type, const std::vector<std::string>& architectures) {
  return architectures.empty() ||
         std::any_of(architectures.begin(), architectures.end(), [&](const std::string& one) { return type.can(one); });
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

}  // namespace

bool Ec2Type::can(const std::string& architecture) const {
  return std::find(architectures.begin(), architectures.end(), architecture) != architectures.end();
}

std::string Ec2Type::shown() const {
  return id + " (" + std::to_string(cpus) + (cpus == 1 ? " CPU, " : " CPUs, ") + std::to_string(megabytes) + " MB)";
}

Ec2Type type_of(const pugi::xml_node& item) {
  Ec2Type made;
  made.id = text_at(item, "instanceType");
  made.megabytes = item.child("memoryInfo").child("sizeInMiB").text().as_int();
  made.cpus = item.child("vCpuInfo").child("defaultVCpus").text().as_int();
  made.nitro = text_at(item, "hypervisor") == "nitro";
  made.burstable = text_at(item, "burstablePerformanceSupported") == "true";
  for (const auto& one : item.first_element_by_path("processorInfo/supportedArchitectures").children("item"))
    made.architectures.emplace_back(one.text().get());
  made.plain = text_at(item, "currentGeneration") == "true" && text_at(item, "bareMetal") != "true";
  for (const char* extra : {"gpuInfo", "fpgaInfo", "inferenceAcceleratorInfo", "mediaAcceleratorInfo", "neuronInfo"}) {
    if (item.child(extra).first_child()) made.plain = false;
  }
  return made;
}

std::optional<int> megabytes_of(const std::string& size) {
  int number = 0;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), number);
  if (error != std::errc() || end != size.data() + size.size()) return {};
  return number;
}

const Ec2Type& chosen_type(const std::string& size, const std::vector<Ec2Type>& types,
                           const std::vector<std::string>& architectures) {
  const auto megabytes = megabytes_of(size);
  const Ec2Type *best = nullptr, *largest = nullptr;
  std::vector<std::string> ids;
  for (const Ec2Type& type : types) {
    if (!megabytes && type.id == size) {
      if (fits(type, architectures)) return type;
      throw Error(Kind::Usage, "size: " + size + " runs " + joined(type.architectures) + ", and the image is for " +
                                   joined(architectures));
    }
    ids.push_back(type.id);
    if (!type.plain || !fits(type, architectures)) continue;
    if (largest == nullptr || order_of(*largest) < order_of(type)) largest = &type;
    const bool better =
        megabytes && type.megabytes >= *megabytes && (best == nullptr || order_of(type) < order_of(*best));
    if (better) best = &type;
  }
  if (best != nullptr) return *best;
  if (!megabytes) {
    std::sort(ids.begin(), ids.end());
    throw Error(Kind::Usage, "size: " + size + " is no instance type here; " + nearest_of(size, ids, "nearest:"));
  }
  throw Error(Kind::Usage,
              "size: no instance type here has " + size + " MB" +
                  (largest == nullptr ? std::string(" or any other size") : "; the largest is " + largest->shown()));
}

std::string text_of(const std::vector<Ec2Type>& types) {
  std::ostringstream text;
  text << kFirstLine << '\n';
  for (const Ec2Type& type : types) {
    text << type.id << ' ' << type.megabytes << ' ' << type.cpus << ' ' << type.burstable << ' ' << type.nitro << ' '
         << type.plain << ' ' << joined(type.architectures) << '\n';
  }
  text << "end\n";
  return text.str();
}

std::optional<std::vector<Ec2Type>> types_in(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line) || line != kFirstLine) return {};
  std::vector<Ec2Type> made;
  while (std::getline(lines, line) && line != "end") {
    std::istringstream words(line);
    Ec2Type type;
    std::string architectures;
    if (!(words >> type.id >> type.megabytes >> type.cpus >> type.burstable >> type.nitro >> type.plain >>
          architectures))
      return {};
    std::istringstream list(architectures);
    for (std::string one; std::getline(list, one, ',');) type.architectures.push_back(one);
    made.push_back(type);
  }
  if (line != "end" || made.empty()) return {};
  return made;
}

}  // namespace jarvis::providers
