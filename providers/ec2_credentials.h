// Who jarvis is at EC2: the key of the configuration (with a session's token, where it has one), or the role of the
// machine that jarvis runs on, asked of its metadata service (Instance Metadata Service version 2: Amazon EC2 User
// Guide, "Retrieve security credentials from instance metadata"). Blocks some seconds at most. Errors hold no secret.
#pragma once

#include <string>

#include "workers/worker.h"

namespace jarvis::providers {

struct Credentials {
  std::string key_id, secret, token;
};

// From EC2_CREDENTIALS, EC2_METADATA, or EC2_ACCESS_KEY_ID, EC2_SECRET_KEY, EC2_SESSION_TOKEN.
Credentials credentials_of(const workers::Call& call);

// `base`: http://169.254.169.254, which is the only address besides this machine's own that is asked.
Credentials role_credentials(const std::string& base);

}  // namespace jarvis::providers
