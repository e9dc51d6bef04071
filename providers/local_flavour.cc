#include "providers/local_flavour.h"

#include "pipeline/error.h"
#include "providers/local_thin.h"

namespace jarvis::providers {

namespace {

constexpr Flavour kFlavours[] = {
    {"thin", "this machine's own /usr, everything else its own", fill_thin_disk, enter_thin_disk, run_thin},
};

}  // namespace

std::span<const Flavour> flavours() {
  return kFlavours;
}

const Flavour& find_flavour(std::string_view name) {
  std::string offered;
  for (const Flavour& one : kFlavours) {
    if (name == one.name) return one;
    offered += (offered.empty() ? "" : ", ") + std::string(one.name) + " (" + one.what + ")";
  }
  throw pipeline::Error(pipeline::Kind::Usage,
                        "flavour: '" + std::string(name.substr(0, 40)) + "' is not offered here; there is: " + offered);
}

}  // namespace jarvis::providers
