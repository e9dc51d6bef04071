// jarvis-http: the forkserver of tasks that speak HTTP (libcurl). Linked dynamically: a resolver and TLS cannot do
// without the system's libraries, and they are initialised in the child that needs them.
#include <span>
#include <vector>

#include "providers/linode.h"
#include "workers/spec_fetch.h"
#include "workers/worker_main.h"

namespace {

using namespace jarvis;

constexpr workers::BuiltIn kTasks[] = {
    {"spec:fetch", workers::spec_fetch},
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<workers::BuiltIn> tasks(std::begin(kTasks), std::end(kTasks));
  for (const std::span<const workers::BuiltIn> some : {providers::linode_tasks()})
    tasks.insert(tasks.end(), some.begin(), some.end());
  return workers::family_main(argc, argv, tasks);
}
