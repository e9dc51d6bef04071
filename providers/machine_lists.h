// What providers list, as JSON in one line (which is YAML, so that it can stand on a clipboard). Pure.
//   machines: kind id name fqdn run step created shown machine monthly
//   offers:   kind id label shown monthly
// `monthly` is a number or null, `machine` null where there is none.
#pragma once

#include <string>
#include <vector>

#include "providers/provider.h"

namespace jarvis::providers {

std::string json_of(const std::vector<Owned>& owned);
std::string json_of(const std::vector<Offer>& offers);

}  // namespace jarvis::providers
