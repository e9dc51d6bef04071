// What a machine wrote on its console, as far as it says what jarvis wants to know. Pure.
#pragma once

#include <string>
#include <vector>

namespace jarvis::providers {

// The newest lines, without control characters and blank ones.
std::vector<std::string> last_lines(const std::string& console, std::size_t most);

// The host's public keys as cloud-init prints them at the first boot, between "-----BEGIN SSH HOST KEY KEYS-----" and
// its end (cloud-init, write-ssh-key-fingerprints): TYPE and base64, no comment. The last such block counts; empty if
// there is none that has ended. Lines that are no key are left out.
std::vector<std::string> host_keys(const std::string& console);

}  // namespace jarvis::providers
