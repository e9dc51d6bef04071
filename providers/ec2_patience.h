// What passes by itself at EC2, where what was just made is not known everywhere at once (Amazon EC2 API Reference,
// "Eventual consistency"), and things are in states that no call may change.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "providers/ec2_api.h"

namespace jarvis::providers {

// Not found although we know of it, or in a state from which it moves on by itself.
bool passes(const std::string& code);

// A change whose refusal by such a code is Error(Transient): asked again after `delay`, when whoever asks looks again.
Ec2Api::Answer change_or_wait(Ec2Api& api, const Query& query, std::chrono::milliseconds delay);
// One whose aim is reached when EC2 answers with this beginning of a code.
void change_unless(Ec2Api& api, const Query& query, const std::string& reached_when);

// Waits in this process, for what takes seconds at most: until `done`, asked every now and then; false when the time
// is up. Tests make both times short by their `poll`.
bool wait_until(const std::function<bool()>& done, std::chrono::milliseconds poll, std::chrono::milliseconds most);

}  // namespace jarvis::providers
