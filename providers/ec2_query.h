// One call of EC2's Query API (API version 2016-11-15) as its parameters, and the names that jarvis gives to what it
// makes there. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "providers/provider.h"

namespace jarvis::providers {

using Tags = std::vector<std::pair<std::string, std::string>>;

inline constexpr const char* kFqdnTag = "jarvis:fqdn";
inline constexpr const char* kRunTag = "jarvis:run";
inline constexpr const char* kStepTag = "jarvis:step";
inline constexpr const char* kVolumeTag = "jarvis:volume";  // the name of a data volume in the spec

class Query {
 public:
  explicit Query(std::string action) : action_(std::move(action)) {}

  const std::string& action() const { return action_; }
  Query& set(std::string name, std::string value);  // replaces one of that name
  Query& list(const std::string& name, const std::vector<std::string>& values);
  // The values are alternatives; several filters must all fit. * and ? stand for characters there.
  Query& filter(const std::string& name, const std::vector<std::string>& values);
  Query& tags(const std::string& resource_type, const Tags& tags);
  // application/x-www-form-urlencoded, everything but the unreserved characters of RFC 3986 escaped.
  std::string body() const;

 private:
  std::string action_;
  std::vector<std::pair<std::string, std::string>> parameters_;
  int filters_ = 0, tagged_ = 0;
};

// fqdn, run, step, and the name that EC2's own pages show.
Tags tags_of(const Marks& marks);

// The idempotency token of RunInstances (at most 64 ASCII characters): the same for the same step and generation. A
// token stays bound to its machine also when that is terminated, so each machine of a step that our own clean-up has
// terminated makes the next one a generation older.
std::string client_token(const Marks& marks, int generation);
// The same for a data volume; made for this machine, since what a step takes back it may make again for the next one.
std::string volume_token(const Marks& marks, const std::string& volume, const std::string& machine);

// "jarvis-FQDN-" and a digest of the public key, so that the same name never stands for another key.
std::string key_pair_name(const std::string& fqdn, std::string_view public_key);

}  // namespace jarvis::providers
