// The file of the SQLite journal: rights, versions, damage, locks, full disks. What every journal does is
// journal_contract.h.
#include "pipeline/journal_sqlite.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "pipeline/error.h"
#include "tests/pipeline/journal_records.h"
#include "tests/pipeline/scratch.h"

namespace jarvis::pipeline {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

unsigned rights(const fs::path& file) {
  struct stat status {};
  REQUIRE(stat(file.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

// The error of opening `file`, with its text; nothing else may happen to the file.
std::string refusal(const fs::path& file) {
  const std::string before = read_file(file);
  std::string why;
  try {
    const SqliteJournal journal(file);
    FAIL("was opened");
  } catch (const Error& error) {
    CHECK(error.kind() == Kind::Permanent);
    why = error.what();
  }
  CHECK(read_file(file) == before);
  CHECK(why.find(file.string()) != std::string::npos);
  return why;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string failure(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind() == Kind::Permanent ? error.what() : std::string("of another kind: ") + error.what();
  }
  return "";
}

// A journal with one run, closed: all of it is in the one file.
fs::path closed_journal(const Scratch& scratch) {
  fs::path file = scratch / "journal.db";
  SqliteJournal(file).write({full_run("abc")});
  CHECK_FALSE(fs::exists(file.string() + "-wal"));
  return file;
}

}  // namespace

TEST_CASE("nobody else may read a journal") {
  const Scratch scratch;
  const fs::path file = scratch / "journal.db";
  const mode_t before = umask(0);
  {
    SqliteJournal journal(file);
    journal.write({full_run("abc")});
    for (const char* suffix : {"", "-wal", "-shm"}) CHECK(rights(file.string() + suffix) == 0600U);
  }
  fs::permissions(file, fs::perms::group_read | fs::perms::others_read, fs::perm_options::add);
  const SqliteJournal again(file);
  CHECK(rights(file) == 0600U);
  umask(before);
}

TEST_CASE("a journal is there when it is opened again") {
  const Scratch scratch;
  const fs::path file = closed_journal(scratch);
  SqliteJournal journal(file);
  REQUIRE(journal.run("abc"));
  CHECK(text(*journal.run("abc")) == text(full_run("abc").run));
}

TEST_CASE("a journal of an earlier version is brought up to date") {
  const Scratch scratch;
  const fs::path file = scratch / "journal.db";
  std::string version;
  SUBCASE("1") {
    version = "v1.db";
  }
  SUBCASE("2") {
    version = "v2.db";
  }
  fs::copy_file(fs::path(JARVIS_TEST_DATA) / "journals" / version, file);
  for (int opened = 0; opened < 2; ++opened) {
    SqliteJournal journal(file);
    const auto run = journal.run("k7m2p9");
    REQUIRE(run);
    CHECK(run->host == "loki.example.org");
    CHECK(run->state == RunState::Interrupted);
    CHECK(run->by.starts_with(run->asker));  // they had no name of their own
    CHECK(!run->asker.empty());
    REQUIRE(run->steps.size() == 3);
    CHECK(run->steps[0].state == StepRecord::State::Done);
    CHECK(run->steps[1].state == StepRecord::State::Under);
    CHECK(journal.newest_checkpoint("k7m2p9") == std::pair<int, std::string>(0, "sealed after 0"));
    CHECK(journal.attempts("k7m2p9", {}, true).at(0).log == "one line\nand another\n");
    CHECK(journal.usual("local", "local:task0") == std::chrono::seconds{2});  // version 1 kept no table of it
    journal.write({RunChanged{"k7m2p9", RunState::Interrupted, RunState::Running, "", {}, 1, "s", "t", "", {}}});
  }
}

TEST_CASE("what is no journal of ours is refused and left alone") {
  const Scratch scratch;
  const fs::path file = closed_journal(scratch);
  const std::string sound = read_file(file);

  SUBCASE("a newer version") {
    std::string newer = sound;
    newer[63] = 99;  // user_version, big-endian at 60
    write_file(file, newer);
    const std::string why = refusal(file);
    CHECK(has(why, "version 99"));
    CHECK(has(why, "up to version 3"));
  }
  SUBCASE("somebody else's database") {
    std::string other = sound;
    other[68] = 1;  // application_id
    write_file(file, other);
    CHECK(has(refusal(file), "not a jarvis journal"));
  }
  SUBCASE("a text file") {
    write_file(file, std::string(10'000, 'x'));
    CHECK(has(refusal(file), "not a database"));
  }
  SUBCASE("half a file") {
    write_file(file, sound.substr(0, 6000));
    CHECK(has(refusal(file), "malformed"));
  }
}

TEST_CASE("damage is met when it is read, and named") {
  const Scratch scratch;
  const fs::path file = closed_journal(scratch);
  std::string damaged = read_file(file);
  std::string expected;
  SUBCASE("a word nobody knows") {
    damaged.replace(damaged.find("loki.example.orgdeploylocalrunning") + 27, 7, "runninq");
    expected = "unknown word runninq";
  }
  SUBCASE("a page of nothing") {
    const std::size_t page = damaged.find("loki.example.orgdeploylocalrunning") / 4096;
    damaged.replace(page * 4096, 4096, 4096, '\x77');
    expected = "malformed";
  }
  write_file(file, damaged);
  SqliteJournal journal(file);
  const std::string why = failure([&] { journal.runs({}); });
  CAPTURE(why);
  CHECK(has(why, expected));
  CHECK(has(why, file.string()));
}

TEST_CASE("a journal that cannot be made") {
  const Scratch scratch;
  const std::string why = failure([&] { const SqliteJournal journal(scratch / "no/such/journal.db"); });
  CHECK(has(why, "No such file"));
}

TEST_CASE("a locked journal fails, soon at once, and works again") {
  const Scratch scratch;
  const fs::path file = scratch / "journal.db";
  SqliteJournal journal(file);
  journal.write({full_run("abc")});

  int locked[2];
  int release[2];
  REQUIRE(pipe2(locked, O_CLOEXEC) == 0);
  REQUIRE(pipe2(release, O_CLOEXEC) == 0);
  const pid_t other = fork();
  if (other == 0) {
    // The lock of whoever writes to a write-ahead log: byte 120 of its index (SQLite's WAL format).
    close(release[1]);
    const int index = open((file.string() + "-shm").c_str(), O_RDWR | O_CLOEXEC);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_start = 120;
    lock.l_len = 1;
    const char answer = fcntl(index, F_SETLK, &lock) == 0 ? 'y' : 'n';
    char end = 0;
    if (write(locked[1], &answer, 1) == 1 && read(release[0], &end, 1) == 0) _exit(0);
    _exit(1);
  }
  char answer = 0;
  REQUIRE(read(locked[0], &answer, 1) == 1);
  REQUIRE(answer == 'y');

  const auto try_write = [&] { return failure([&] { journal.write({full_run("def")}); }); };
  const std::string first = try_write();
  CHECK(has(first, "locked"));
  CHECK(has(first, "another program"));
  CHECK(has(failure([&] { journal.set_note("a", "b"); }), "locked"));
  const auto began = std::chrono::steady_clock::now();
  CHECK(has(try_write(), "locked"));
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::milliseconds{200});  // does not wait again
  CHECK(journal.run("abc"));                                                         // reading goes on
  CHECK_FALSE(journal.run("def"));

  close(release[1]);
  int status = 0;
  REQUIRE(waitpid(other, &status, 0) == other);
  CHECK(status == 0);
  journal.write({full_run("def")});
  CHECK(journal.run("def"));
  for (const int descriptor : {locked[0], locked[1], release[0]}) close(descriptor);
}

namespace {

// What a process with a small disk sees. Runs in a child: its limits and mounts go with it. The answer is empty if all
// went well.
std::string fill_and_go_on(const fs::path& directory, const std::function<void()>& make_room,
                           const std::string& reason) {
  const fs::path file = directory / "journal.db";
  SqliteJournal journal(file);
  int written = 0;
  const auto write_next = [&] {
    const std::string id = "r" + std::to_string(written);
    RunCreated first = full_run(id + "a");
    first.sealed_clipboard = std::string(3000, 'x');
    return failure([&] { journal.write({first, full_run(id + "b")}); });
  };
  std::string why;
  for (; why.empty(); ++written) {
    if (written > 1000) return "the disk is never full";
    why = write_next();
  }
  --written;
  if (!has(why, reason) || !has(why, file.string())) return "wrong reason: " + why;
  if (journal.run("r" + std::to_string(written) + "a")) return "half a write is there";
  if (write_next().empty()) return "what had no room has room";
  if (journal.runs({{}, false, 0}).size() != 2 * static_cast<std::size_t>(written)) return "not what was written";
  journal.tidy();  // has no room either, and must not harm
  make_room();
  journal.write({full_run("after")});
  if (!SqliteJournal(file).run("after")) return "does not go on";
  return "";
}

std::string in_child(const std::function<std::string()>& call) {
  int answer[2];
  REQUIRE(pipe2(answer, O_CLOEXEC) == 0);
  const pid_t child = fork();
  if (child == 0) {
    std::string text;
    try {
      text = call();
    } catch (const std::exception& error) {
      text = error.what();
    }
    _exit(write(answer[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(answer[1]);
  std::string text;
  char buffer[512];
  for (ssize_t n = 0; (n = read(answer[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  close(answer[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (status != 0) text += " (ended with status " + std::to_string(status) + ")";
  return text;
}

}  // namespace

TEST_CASE("a full disk") {
  const Scratch scratch;
  const std::string answer = in_child([&]() -> std::string {
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return "no namespaces";
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "no mounts";
    if (mount("tmpfs", scratch.path().c_str(), "tmpfs", 0, "size=600k") != 0) return "no mounts";
    write_file(scratch / "ballast", std::string(200'000, 'b'));
    return fill_and_go_on(
        scratch.path(), [&] { fs::remove(scratch / "ballast"); }, "full");
  });
  if (answer == "no namespaces" || answer == "no mounts") {
    MESSAGE("skipped: this user may not mount a small file system");
  } else {
    CAPTURE(answer);
    CHECK(answer.empty());
  }
}

TEST_CASE("a disk that refuses to write") {
  const Scratch scratch;
  const std::string answer = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t usual = limit.rlim_cur;
    limit.rlim_cur = 300'000;
    setrlimit(RLIMIT_FSIZE, &limit);
    return fill_and_go_on(
        scratch.path(),
        [&] {
          limit.rlim_cur = usual;
          setrlimit(RLIMIT_FSIZE, &limit);
        },
        "disk I/O error");
  });
  CAPTURE(answer);
  CHECK(answer.empty());
}

}  // namespace jarvis::pipeline
