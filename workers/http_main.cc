// jarvis-http: the forkserver of tasks that speak HTTP (libcurl). Linked dynamically: a resolver and TLS cannot do
// without the system's libraries, and they are initialised in the child that needs them.
#include "workers/pxe.h"
#include "workers/spec_fetch.h"
#include "workers/worker_main.h"

namespace {

using namespace jarvis;

constexpr workers::BuiltIn kTasks[] = {
    {"spec:fetch", workers::spec_fetch},
    {"pxe:links_install", workers::links_install},
    {"pxe:links_menu", workers::links_menu},
    {"pxe:links_remove", workers::links_remove},
};

}  // namespace

int main(int argc, char** argv) {
  return workers::family_main(argc, argv, kTasks);
}
