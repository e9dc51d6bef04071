// Passwords and their hashes (crypt(3), libcrypt): a new one from the system's random source, the line's hash that a
// host keeps in /etc/shadow, and whether a hash is that of a password. Knows no host. The only room of libcrypt.
#pragma once

#include <string>

namespace jarvis::workers {

// 24 characters of A-Z a-z 0-9, each equally likely (142 bits). Error(Permanent) if the system gives no random bytes.
std::string random_password();

// SHA-512-crypt with a random salt: the strongest hash that every Linux a host may run understands.
std::string crypt_hash(const std::string& password);

// False for a locked account ("!", "*") and for a hash of a kind that this machine does not know.
bool hash_fits(const std::string& password, const std::string& hash);

}  // namespace jarvis::workers
