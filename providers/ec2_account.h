// The EC2 account of the configuration: its regions, each with a client of its own that is made when first needed, and
// what the operator has set. Owned by the provider for one task. Asks nothing itself, but for credentials of the
// machine's role. Error(Usage) names the setting that is wrong.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "providers/ec2_api.h"
#include "providers/ec2_images.h"
#include "workers/worker.h"

namespace jarvis::providers {

class Ec2Account {
 public:
  explicit Ec2Account(const workers::Call& call);

  // The configured one first, then what `regions` adds: where machines are looked for, and where specs may have them.
  const std::vector<std::string>& regions() const { return regions_; }
  Ec2Api& in(const std::string& region);

  const std::vector<ImageAlias>& images() const { return images_; }
  const std::string& subnet() const { return subnet_; }
  const std::vector<std::string>& security_groups() const { return groups_; }
  std::chrono::milliseconds poll() const { return access_.poll; }
  const std::filesystem::path& directory() const { return directory_; }

 private:
  std::vector<std::string> regions_;
  std::filesystem::path directory_;
  Ec2Access access_;
  std::vector<ImageAlias> images_;
  std::string subnet_;
  std::vector<std::string> groups_;
  std::map<std::string, std::unique_ptr<Ec2Api>> clients_;
};

}  // namespace jarvis::providers
