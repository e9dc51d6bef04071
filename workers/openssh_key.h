// SSH keys as OpenSSH writes them: public key lines ("ssh-ed25519 AAAA... comment"), private keys in the format
// "openssh-key-v1", fingerprints, SSHFP data. A room of OpenSSL's libcrypto (the other is digest.cc). Knows no host,
// clipboard or session. Nothing here blocks; secrets are returned as text and belong to the caller.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jarvis::workers {

struct PublicKey {
  std::string type;     // "ssh-ed25519"
  std::string blob;     // the key's bytes, what fingerprints are taken of
  std::string comment;  // may be empty

  std::string line() const;         // "TYPE BASE64 COMMENT", without a comment if there is none
  std::string fingerprint() const;  // "SHA256:..." as ssh-keygen -l prints it
};

// Reads one public key line. Error(Usage) with the reason for a type that OpenSSH 9 does not accept any more (ssh-dss),
// an unknown type, options in front, malformed base64, bytes that do not fit the type, an RSA key under 1024 bits.
PublicKey check_public_key(std::string_view line);

// The key of this blob as a host shows it. Error(Usage) as above.
PublicKey public_key_from_blob(std::string_view blob);

// SSHFP data of the key: {"4 1 HEX", "4 2 HEX"} (RFC 4255, 6594, 7479), hex in lower case as ssh-keygen -r prints it.
// Error(Usage) for a type that has no SSHFP number.
std::vector<std::string> sshfp_of(const PublicKey& key);

struct KeyPair {
  std::string private_text;  // the whole "-----BEGIN OPENSSH PRIVATE KEY-----" text, unencrypted: a secret
  std::string public_line;
};

// A new pair from the system's random source.
KeyPair make_ed25519_pair(const std::string& comment);

// The public half of a private key in the format "openssh-key-v1" (it stands there in clear). Error(Usage) for other
// text; its message never contains a part of the key.
PublicKey public_half(std::string_view private_text);

}  // namespace jarvis::workers
