#include "providers/ec2_account.h"

#include <algorithm>

namespace jarvis::providers {

namespace {

using workers::Call;
using workers::Clipboard;
using workers::Error;
using workers::Kind;

constexpr double kPerSecond = 5;

// A setting that is a YAML flow list.
std::vector<std::string> listed(const Call& call, const char* name) {
  const std::string text = call.setting(name, "");
  return text.empty() ? std::vector<std::string>() : Clipboard::parse("list: " + text + "\n").list("list");
}

// It becomes part of a host's name, and of what is signed.
void check_region(const std::string& region) {
  const bool plain = !region.empty() && std::all_of(region.begin(), region.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!plain) throw Error(Kind::Usage, "providers: ec2: region: `" + region + "` is no region; write us-east-1");
}

}  // namespace

Ec2Account::Ec2Account(const Call& call)
    : regions_{call.setting("REGION")},
      directory_(call.setting("DIR")),
      images_(image_aliases(call.setting("IMAGES", ""))),
      subnet_(call.setting("SUBNET", "")),
      groups_(listed(call, "SECURITY_GROUPS")) {
  for (std::string& region : listed(call, "REGIONS")) {
    if (std::find(regions_.begin(), regions_.end(), region) == regions_.end()) regions_.push_back(std::move(region));
  }
  for (const std::string& region : regions_) check_region(region);
  access_.endpoint = call.setting("ENDPOINT", "");
  access_.credentials = credentials_of(call);
  access_.http = access_of(call, kPerSecond);
  access_.poll = poll_of(call);
}

Ec2Api& Ec2Account::in(const std::string& region) {
  auto& client = clients_[region];
  if (!client) {
    access_.region = region;
    client = std::make_unique<Ec2Api>(access_);
  }
  return *client;
}

}  // namespace jarvis::providers
