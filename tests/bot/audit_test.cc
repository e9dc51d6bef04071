// The audit log: what was written is told again, and whatever was done to it is found.
#include "bot/audit.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "pipeline/error.h"
#include "tests/bot/scratch_directory.h"

using namespace jarvis::bot;
using jarvis::pipeline::Error;
using jarvis::pipeline::Seal;

namespace {

std::string read_whole(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct State {
  ScratchDirectory scratch;
  Seal seal = Seal::create(scratch.path() / "key");
  std::filesystem::path log = scratch.path() / "audit.log", head = scratch.path() / "audit.head";

  Audit open() const { return {scratch.path(), seal}; }
  // So many records, by a jarvis that ends then.
  void write(int count, const std::string& command = "status") const {
    Audit audit = open();
    for (int i = 0; i < count; ++i) audit.write(record(command + " " + std::to_string(i)), Audit::Sync::No);
  }
  static AuditRecord record(const std::string& command) {
    AuditRecord made;
    made.who = "thor";
    made.command = command;
    made.result = "done";
    return made;
  }
  void put(const std::string& text) const { std::ofstream(log, std::ios::binary) << text; }
};

std::string fault_of(const Audit& audit) {
  return audit.reading().verify([](const nlohmann::json&, std::uint64_t) {}).fault;
}

}  // namespace

TEST_CASE("audit: what is written is read again, and is for nobody else") {
  const State state;
  CHECK(fault_of(state.open()).empty());
  {
    Audit audit = state.open();
    AuditRecord full = State::record("deploy \"x\"\n\xff");
    full.proof = "thor (freenet account thor)";
    full.where = "freenet/#ops";
    full.hosts = {"loki.example.org", "odin.example.org"};
    full.spec = "s1";
    full.plan = "p1";
    full.run = "abcdef";
    full.rule = "role operator";
    full.reason = "because";
    full.approvers = {"odin"};
    audit.write(full, Audit::Sync::Yes);
  }
  state.write(2);
  std::vector<nlohmann::json> records;
  const auto verified =
      state.open().reading().verify([&](const nlohmann::json& one, std::uint64_t) { records.push_back(one); });
  CHECK(verified.records == 3);
  CHECK(verified.fault.empty());
  REQUIRE(records.size() == 3);
  CHECK(records[0]["command"] == "deploy \"x\"\n\xef\xbf\xbd");
  CHECK(records[0]["hosts"] == nlohmann::json({"loki.example.org", "odin.example.org"}));
  CHECK(records[0]["approvers"] == nlohmann::json({"odin"}));
  CHECK(records[0]["before"] == "");
  for (const char* key : {"at", "who", "proof", "where", "spec", "plan", "run", "rule", "reason", "result"}) {
    CAPTURE(key);
    CHECK(records[0].contains(key));
  }
  CHECK_FALSE(records[1].contains("hosts"));
  CHECK(records[2]["command"] == "status 1");
  for (const auto& file : {state.log, state.head}) {
    struct stat known {};
    REQUIRE(::stat(file.c_str(), &known) == 0);
    CHECK((known.st_mode & 0777U) == 0600);
  }
}

TEST_CASE("audit: every changed byte is found") {
  const State state;
  state.write(3);
  const std::string log = read_whole(state.log), head = read_whole(state.head);
  const Audit running = state.open();
  REQUIRE(fault_of(running).empty());
  for (std::size_t i = 0; i < log.size(); ++i) {
    CAPTURE(i);
    std::string changed = log;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    state.put(changed);
    REQUIRE(!fault_of(running).empty());
    // And after jarvis was started again and wrote more.
    state.write(2);
    REQUIRE(!fault_of(state.open()).empty());
    std::ofstream(state.head, std::ios::binary) << head;
  }
  state.put(log);
  CHECK(fault_of(running).empty());
  std::string other = head;
  other[0] = other[0] == 'a' ? 'b' : 'a';
  std::ofstream(state.head, std::ios::binary) << other;
  CHECK(!fault_of(running).empty());
}

TEST_CASE("audit: what is missing is found, also after more was written") {
  const State state;
  state.write(3);
  const std::string log = read_whole(state.log);
  const std::size_t first = log.find('\n') + 1, last = log.rfind('\n', log.size() - 2) + 1;
  std::string kept, head = read_whole(state.head);
  SUBCASE("the first record") {
    kept = log.substr(first);
  }
  SUBCASE("one between") {
    kept = log.substr(0, first) + log.substr(last);
  }
  SUBCASE("the last one") {
    kept = log.substr(0, last);
  }
  SUBCASE("the last two") {
    kept = log.substr(0, first);
  }
  SUBCASE("the end of the last one") {
    kept = log.substr(0, log.size() - 5);
  }
  SUBCASE("all of it") {
    kept = "";
  }
  SUBCASE("the last one, and the head") {
    kept = log.substr(0, last), head = "";
  }
  SUBCASE("all but the first, and the head") {
    kept = log.substr(0, first), head = "";
  }
  SUBCASE("two have changed places") {
    kept = log.substr(first, last - first) + log.substr(0, first) + log.substr(last);
  }
  SUBCASE("one twice") {
    kept = log + log.substr(last);
  }
  SUBCASE("more by somebody else") {
    kept = log + "{\"command\":\"x\",\"before\":\"\"}\n{\"command\":\"y\"}\n";
  }
  state.put(kept);
  std::ofstream(state.head, std::ios::binary) << head;
  {
    const Audit audit = state.open();
    CHECK(!fault_of(audit).empty());
  }
  state.write(3, "later");
  CHECK(!fault_of(state.open()).empty());
}

TEST_CASE("audit: killed while it wrote") {
  const State state;
  state.write(2);
  const std::string two = read_whole(state.log), head_of_two = read_whole(state.head);
  state.write(1, "third");
  const std::string three = read_whole(state.log);
  std::string left;
  SUBCASE("between a record and its head") {
    left = three;
  }
  SUBCASE("in the middle of a record") {
    left = two + three.substr(two.size(), 30);
  }
  SUBCASE("before the end of its line") {
    left = three.substr(0, three.size() - 1);
  }
  SUBCASE("before a byte was written") {
    left = two;
  }
  state.put(left);
  std::ofstream(state.head, std::ios::binary) << head_of_two;
  CHECK(fault_of(state.open()).empty());
  state.write(2, "later");
  const auto verified = state.open().reading().verify([](const nlohmann::json&, std::uint64_t) {});
  CHECK(verified.fault.empty());
  CHECK(verified.records >= 4);
}

TEST_CASE("audit: killed while it wrote the first record") {
  const State state;
  (void)state.open();
  const std::string head = read_whole(state.head);
  state.write(1);
  const std::string one = read_whole(state.log);
  SUBCASE("in the middle") {
    state.put(one.substr(0, one.size() / 2));
  }
  SUBCASE("before the head") {}
  SUBCASE("before anything") {
    state.put("");
  }
  std::ofstream(state.head, std::ios::binary) << head;
  state.write(1);
  CHECK(fault_of(state.open()).empty());
}

TEST_CASE("audit: without the key") {
  const State state;
  state.write(2);
  const std::string head = read_whole(state.head);
  const Seal none = Seal::missing("the key is on holiday");
  {
    Audit audit(state.scratch.path(), none);
    CHECK(fault_of(audit).find("cannot be verified: the key is on holiday") != std::string::npos);
    audit.write(State::record("status"), Audit::Sync::Yes);
  }
  CHECK_MESSAGE(read_whole(state.head) == head, "no head but one made with the key");
  {
    // The key is back: one record that nobody speaks for is taken for one that a crash cut off; a second one is not.
    Audit audit(state.scratch.path(), none);
    audit.write(State::record("status"), Audit::Sync::No);
  }
  CHECK(!fault_of(state.open()).empty());
  // Another key is no better than none.
  const ScratchDirectory elsewhere;
  CHECK(!fault_of(Audit(state.scratch.path(), Seal::create(elsewhere.path() / "key"))).empty());
}

TEST_CASE("audit: a full disk leaves no half record behind") {
  const State state;
  Audit audit = state.open();
  audit.write(State::record("before"), Audit::Sync::No);
  const std::string before = read_whole(state.log);
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{before.size() + 10, limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK_THROWS_AS(audit.write(State::record("lost"), Audit::Sync::Yes), Error);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  std::signal(SIGXFSZ, ignored);
  CHECK(read_whole(state.log) == before);
  audit.write(State::record("after"), Audit::Sync::No);
  CHECK(fault_of(audit).empty());
}
