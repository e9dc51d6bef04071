// jarvis-core: the forkserver of tasks that need no library worth naming, and of every external worker.
#include "pipeline/huge_text.h"
#include "providers/local.h"
#include "workers/bench.h"
#include "workers/check_clipboard.h"
#include "workers/monitoring.h"
#include "workers/worker_main.h"

namespace {

using namespace jarvis;

constexpr workers::BuiltIn kTasks[] = {
    {"jarvis:check_clipboard", workers::check_clipboard, true},
    {"bench:nothing", workers::bench_nothing},
    {"bench:echo", workers::bench_echo},
    {"monitoring:silence", workers::silence},
    {"monitoring:unsilence", workers::unsilence},
    {"local:can_deploy", providers::local_can_deploy},
    {"local:deploy", providers::local_deploy},
    {"local:get_address", providers::local_get_address},
    {"local:shutdown", providers::local_shutdown},
    {"local:startup", providers::local_startup},
    {"local:reboot", providers::local_reboot},
    {"local:destroy", providers::local_destroy},
    {"local:adopt", providers::local_adopt},
    {"local:machines", providers::local_machines},
    {"local:offers", providers::local_offers},
};

}  // namespace

int main(int argc, char** argv) {
  pipeline::code_to_huge_pages();  // most tasks are this one's
  return workers::family_main(argc, argv, kTasks);
}
