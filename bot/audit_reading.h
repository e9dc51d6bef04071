// The audit log as it stood at one moment: verified from the first record to the last, and its lines looked at again.
// Made in the loop, used by another thread (one at a time): reading a log of years blocks for the disk and for seconds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pipeline/seal.h"
#include "pipeline/unique_fd.h"

namespace jarvis::bot {

// What STATE/audit.head says when the last line has this hash. Error without the key.
std::string audit_head(const pipeline::Seal& seal, const std::string& hash);

class AuditReading {
 public:
  // `head`: what the head says at this moment.
  AuditReading(const std::filesystem::path& file, std::string head, const pipeline::Seal& seal);

  struct Verified {
    std::size_t records = 0;
    std::string fault;  // empty: nothing was changed
  };
  // Every record, oldest first, and where it stands.
  Verified verify(const std::function<void(const nlohmann::json&, std::uint64_t at)>& each) const;
  // The record that stands there; null when it has been changed since.
  nlohmann::json record_at(std::uint64_t at) const;

 private:
  std::filesystem::path file_;
  std::string head_;
  pipeline::Seal seal_;
  pipeline::UniqueFd log_;
  std::uint64_t size_ = 0;
};

}  // namespace jarvis::bot
