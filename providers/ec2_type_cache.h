// The instance types of a region: a list of some hundred that takes ten calls and changes every few weeks, so it is
// kept for a day in the provider's directory, for all processes.
#pragma once

#include <string>
#include <vector>

#include "providers/ec2_account.h"
#include "providers/ec2_types.h"

namespace jarvis::providers {

std::vector<Ec2Type> cached_types(Ec2Account& account, const std::string& region);

}  // namespace jarvis::providers
