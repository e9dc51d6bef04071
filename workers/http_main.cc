// jarvis-http: the forkserver of tasks that speak HTTP (libcurl). Linked dynamically: a resolver and TLS cannot do
// without the system's libraries, and they are initialised in the child that needs them.
#include "workers/spec_fetch.h"
#include "workers/worker_main.h"

namespace {

using namespace jarvis;

constexpr workers::BuiltIn kTasks[] = {
    {"spec:fetch", workers::spec_fetch},
};

}  // namespace

int main(int argc, char** argv) {
  return workers::family_main(argc, argv, kTasks);
}
