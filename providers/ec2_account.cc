#include "providers/ec2_account.h"

#include <algorithm>
#include <cstdlib>

namespace jarvis::providers {

namespace {

using workers::Call;
using workers::Clipboard;
using workers::Error;
using workers::Kind;

// A setting that is a YAML flow list.
std::vector<std::string> listed(const Call& call, const char* name) {
  const std::string text = call.setting(name, "");
  return text.empty() ? std::vector<std::string>() : Clipboard::parse("list: " + text + "\n").list("list");
}

double number(const Call& call, const char* name, double otherwise) {
  const std::string text = call.setting(name, "");
  return text.empty() ? otherwise : std::strtod(text.c_str(), nullptr);
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
  access_.ca_file = call.setting("CA_FILE", "");
  access_.pace = directory_ / "pace";
  access_.per_second = number(call, "RATE", access_.per_second);
  access_.burst = 2 * access_.per_second;
  access_.poll =
      std::chrono::milliseconds(static_cast<long>(number(call, "POLL", static_cast<double>(access_.poll.count()))));
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
