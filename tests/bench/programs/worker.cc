// The trivial external worker, static and without libstdc++ so that its exec costs as little as an exec can.
//
//   worker nothing    reads the clipboard to its end and prints nothing
//   worker echo       prints the clipboard back
//   worker later      says that it began, then: not yet, ask again in ten minutes
//   worker block      says that it began, then blocks until the gate closes
//
// "Began" is a byte into the FIFO `began` in the executable's directory; `gate` there is the FIFO that `block` reads.
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

namespace {

int open_beside(const char* name, int how) {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 16);
  if (size <= 0) return -1;
  path[size] = '\0';
  strcpy(strrchr(path, '/') + 1, name);
  return open(path, how);
}

int wait_at_gate(bool blocks) {
  const int began = open_beside("began", O_WRONLY), gate = blocks ? open_beside("gate", O_RDONLY) : -1;
  if (began < 0 || (blocks && gate < 0) || write(began, "x", 1) != 1) return 1;
  if (!blocks) {
    const char later[] = "retry-after: 600\n";
    return write(2, later, sizeof later - 1) == sizeof later - 1 ? 75 : 1;
  }
  char end = 0;
  return read(gate, &end, 1) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const char* const task = argc > 1 ? argv[1] : "";
  const bool echo = strcmp(task, "echo") == 0;
  char bytes[65536];
  for (ssize_t got = 0; (got = read(0, bytes, sizeof bytes)) > 0;) {
    if (echo && write(1, bytes, static_cast<size_t>(got)) != got) return 1;
  }
  if (strcmp(task, "later") == 0 || strcmp(task, "block") == 0) return wait_at_gate(task[0] == 'b');
  return echo || strcmp(task, "nothing") == 0 ? 0 : 1;
}
