// Which instance type a spec's `size` means: a type's id, or the smallest type with that many MB of memory. EC2 has no
// price in its API, so the order among those that fit is by what they are: fewest MB, then x86_64 before others, then
// burstable ones (which cost less), then the newer kind of host (Nitro), then most CPUs, then by id. Pure.
#pragma once

#include <optional>
#include <pugixml.hpp>
#include <string>
#include <vector>

namespace jarvis::providers {

struct Ec2Type {
  std::string id;
  int megabytes = 0, cpus = 0;
  bool burstable = false, nitro = false;
  bool plain = true;  // current, no bare metal, no accelerators: what `size: MB` may choose
  std::vector<std::string> architectures;

  bool can(const std::string& architecture) const;
  std::string shown() const;  // "t3.micro (2 CPUs, 1024 MB)"
};
Ec2Type type_of(const pugi::xml_node& item);

// A number of MB, or nothing if it is meant as an id.
std::optional<int> megabytes_of(const std::string& size);

// Error(Usage) names the nearest: by name for an id, the largest for MB. `architectures`: those of the images at hand,
// empty for any.
const Ec2Type& chosen_type(const std::string& size, const std::vector<Ec2Type>& types,
                           const std::vector<std::string>& architectures);

// A list of types as text that outlives the process, and back; nothing for other text.
std::string text_of(const std::vector<Ec2Type>& types);
std::optional<std::vector<Ec2Type>> types_in(const std::string& text);

}  // namespace jarvis::providers
