#include "pipeline/huge_text.h"

#include <link.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstring>

namespace jarvis::pipeline {

namespace {

constexpr std::uintptr_t kHuge = 2U << 20U;

struct Code {
  std::uintptr_t begin = 0, end = 0;  // [begin, end): whole huge pages, nothing else lies in them
  std::size_t size = 0;               // bytes that are mapped
};

// The one executable segment of the program itself, if it has its huge pages to itself.
int find_code(dl_phdr_info* program, std::size_t, void* result) {
  auto* code = static_cast<Code*>(result);
  for (int i = 0; i < program->dlpi_phnum; ++i) {
    const auto& one = program->dlpi_phdr[i];
    if (one.p_type != PT_LOAD || (one.p_flags & PF_X) == 0) continue;
    code->begin = program->dlpi_addr + one.p_vaddr;
    code->size = one.p_memsz;
    code->end = (code->begin + one.p_memsz + kHuge - 1) & ~(kHuge - 1);
  }
  if (code->begin % kHuge != 0) code->size = 0;
  for (int i = 0; i < program->dlpi_phnum; ++i) {
    const auto& one = program->dlpi_phdr[i];
    const std::uintptr_t begin = program->dlpi_addr + one.p_vaddr;
    if (one.p_type == PT_LOAD && begin != code->begin && begin < code->end && begin + one.p_memsz > code->begin)
      code->size = 0;
  }
  return 1;  // the first is the program; others do not matter
}

}  // namespace

bool code_to_huge_pages() {
  Code code;
  ::dl_iterate_phdr(find_code, &code);
  if (code.size == 0) return false;
  const std::size_t length = code.end - code.begin;
  // Room to cut a piece out of that begins at a huge page.
  void* room = ::mmap(nullptr, length + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return false;
  const auto start = reinterpret_cast<std::uintptr_t>(room);
  const std::uintptr_t piece = (start + kHuge - 1) & ~(kHuge - 1);
  void* copy = reinterpret_cast<void*>(piece);
  const bool ready = ::madvise(copy, length, MADV_HUGEPAGE) == 0;
  if (ready) std::memcpy(copy, reinterpret_cast<const void*>(code.begin), code.size);
  // Where writable memory may never become executable, the code stays where it is.
  const bool moved =
      ready && ::mprotect(copy, length, PROT_READ | PROT_EXEC) == 0 &&
      ::mremap(copy, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, reinterpret_cast<void*>(code.begin)) != MAP_FAILED;
  if (piece > start) ::munmap(room, piece - start);
  const std::uintptr_t behind = piece + length;
  ::munmap(reinterpret_cast<void*>(moved ? behind : piece), start + length + kHuge - (moved ? behind : piece));
  return moved;
}

}  // namespace jarvis::pipeline
