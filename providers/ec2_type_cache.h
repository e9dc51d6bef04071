// The instance types of a region: a list of some hundred that takes ten calls and changes every few weeks, so it is
// kept for a day in the provider's directory, for all processes.
#pragma once

#include <string>
#include <vector>

#include "providers/ec2_account.h"
#include "providers/ec2_types.h"

namespace jarvis::providers {

// All of them.
std::vector<Ec2Type> cached_types(Ec2Account& account, const std::string& region);
// The one of this id, asked for alone; empty if there is none.
std::vector<Ec2Type> type_named(Ec2Api& api, const std::string& id);

}  // namespace jarvis::providers
