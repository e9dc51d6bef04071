// The elastic address of a host (`elastic: yes`), found by our marks on it before one is allocated. Outlives machines.
// EC2 has no token that makes its allocation happen once, so one that a lost answer left over is released again.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "providers/ec2_answer.h"
#include "providers/ec2_api.h"
#include "workers/worker.h"

namespace jarvis::providers {

// Error(Usage) for anything but yes or no. Pure.
bool wants_elastic(const workers::Clipboard& clipboard);

std::vector<Ec2Address> addresses_of(Ec2Api& api, const std::string& fqdn);     // by our marks
std::vector<Ec2Address> addresses_at(Ec2Api& api, const std::string& machine);  // whoever's they are
Query allocate_address(const Marks& marks);
void release_address(Ec2Api& api, const Ec2Address& address);

// Allocates and associates if the spec asks for it; true when something was changed. Error(Refused) if it is with
// a machine that is there, or with what is no machine; from one that is gone it is taken off.
bool associate_address(const workers::Call& call, Ec2Api& api, const Ec2Instance& machine,
                       std::chrono::milliseconds poll);

// May one more be allocated: the account's limit, as far as EC2 tells.
void ask_for_address(Ec2Api& api, const Marks& marks);

}  // namespace jarvis::providers
