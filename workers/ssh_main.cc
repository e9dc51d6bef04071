// jarvis-ssh: the forkserver of tasks that speak SSH or make keys (libssh2, OpenSSL).
#include "workers/keys.h"
#include "workers/ssh.h"
#include "workers/worker_main.h"

namespace {

using namespace jarvis;

constexpr workers::BuiltIn kTasks[] = {
    {"keys:prepare", workers::prepare_keys},
    {"ssh:wait", workers::ssh_wait},
    {"ssh:fingerprints", workers::ssh_fingerprints},
    {"ssh:run_first_boot", workers::ssh_run_first_boot},
    {"ssh:mount", workers::ssh_mount},
    {"ssh:make_keypair", workers::ssh_make_keypair},
    {"ssh:make_host_keys", workers::ssh_make_host_keys},
    {"ssh:own_keys", workers::ssh_own_keys},
    {"keys:forget", workers::forget_keys},
    {"ldapworker:save_secret", workers::ssh_save_secret},
};

}  // namespace

int main(int argc, char** argv) {
  return workers::family_main(argc, argv, kTasks);
}
