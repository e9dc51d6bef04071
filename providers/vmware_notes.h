// What one attempt leaves for the next on this machine: small files under VMWARE_DIR/notes. They only save time or
// spare a second request; without them (another machine, a lost disk) the inventory still says all that matters.
// Owned by the provider. Never throws for a note that cannot be read; Error(Permanent) if one cannot be written.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace jarvis::providers::vmware {

class Notes {
 public:
  explicit Notes(const std::filesystem::path& directory) : directory_(directory / "notes") {}

  // `name` is an fqdn and a word. The lines, empty if there is none.
  std::vector<std::string> read(const std::string& name) const;
  void write(const std::string& name, const std::vector<std::string>& lines) const;
  void erase(const std::string& name) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace jarvis::providers::vmware
