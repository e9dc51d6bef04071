// What every provider's tasks decide (providers/machine_tasks.h), over a provider in memory.
#include "providers/machine_tasks.h"

#include <doctest/doctest.h>

#include <functional>

#include "tests/providers/fake_provider.h"
#include "tests/workers/scratch.h"

using namespace jarvis::providers;
using jarvis::pipeline::Error;
using jarvis::pipeline::Kind;
using jarvis::tests::call_of;
using jarvis::tests::error_of;
using jarvis::tests::FakeProvider;
using jarvis::tests::holds;
using jarvis::tests::SetAsideStderr;
using jarvis::workers::Call;

namespace {

const std::string kFqdn = "loki.example.org";
const std::string kSpec = "hostname: loki\nfqdn: loki.example.org\nprovider: fake\n";
const Marks kOurs{kFqdn, "run0", "step0"};
const Marks kThisStep{kFqdn, "run1", "step1"};  // as call_of() has it

using Task = std::function<void(Call&, Provider&)>;

const std::vector<std::pair<const char*, Task>>& tasks_that_touch() {
  static const std::vector<std::pair<const char*, Task>> kTasks = {
      {"deploy", [](Call& call, Provider& provider) { deploy(call, provider); }},
      {"can_deploy", can_deploy},
      {"get_address", get_address},
      {"shutdown", shutdown},
      {"startup", startup},
      {"reboot", reboot},
      {"delete_machine", delete_machine},
      {"destroy", destroy},
  };
  return kTasks;
}

// None of these has changed anything.
void untouched(const FakeProvider& provider) {
  for (const char* call :
       {"create", "complete", "power_on", "power_off", "reboot", "remove", "remove all", "take back", "mark"}) {
    CAPTURE(call);
    CHECK(provider.count(call) == 0);
  }
}

// What the task says on stderr, in plan mode.
std::string planned(const Task& task, FakeProvider& provider, const std::string& clipboard = kSpec) {
  const SetAsideStderr aside;
  Call call = call_of("fake:task", clipboard, true);
  task(call, provider);
  CHECK(call.clipboard.text() == clipboard);
  return aside.text();
}

Call done(const Task& task, FakeProvider& provider, const std::string& clipboard = kSpec) {
  const SetAsideStderr aside;
  Call call = call_of("fake:task", clipboard);
  task(call, provider);
  return call;
}

Error refused(const Task& task, FakeProvider& provider, const std::string& clipboard = kSpec) {
  return error_of([&] { (void)done(task, provider, clipboard); });
}

const Task kDeploy = [](Call& call, Provider& provider) { deploy(call, provider); };

}  // namespace

TEST_CASE("machine tasks: what may not be touched") {
  struct Case {
    const char* name;
    std::string clipboard;
    std::function<void(FakeProvider&)> there;
    const char* text;
  };
  const std::string known = kSpec + "instance_id: m-1\n";
  for (const Case& c : {
           Case{"foreign", kSpec, [](FakeProvider& p) { p.add("m-9", kFqdn, {}); }, "`adopt loki.example.org`"},
           Case{"foreign, switched off", kSpec, [](FakeProvider& p) { p.add("m-9", kFqdn, {}).power = Power::Off; },
                "is not jarvis's"},
           Case{"a second one", kSpec,
                [](FakeProvider& p) {
                  p.add("m-1", kFqdn, kOurs);
                  p.add("m-9", kFqdn, {});
                },
                "fake has 2 machines that are loki.example.org: m-1, m-9 (not jarvis's)"},
           Case{"two of ours", known,
                [](FakeProvider& p) {
                  p.add("m-1", kFqdn, kOurs);
                  p.add("m-2", kFqdn, kOurs);
                },
                "touches none of them"},
           Case{"the id differs", known, [](FakeProvider& p) { p.add("m-2", kFqdn, kOurs); },
                "is not the machine of this run, which is m-1"},
           Case{"renamed", kSpec, [](FakeProvider& p) { p.add("m-1", "thor.example.org", kOurs); },
                "but has another name"},
           Case{"marked as another host", kSpec,
                [](FakeProvider& p) {
                  p.add("m-1", kFqdn, Marks{"thor.example.org", "r", "s"});
                },
                "is marked as thor.example.org"},
       }) {
    for (const auto& [name, function] : tasks_that_touch()) {
      const std::string task = name;
      CAPTURE(c.name);
      CAPTURE(task);
      FakeProvider provider;
      c.there(provider);
      const std::size_t before = provider.machines.size();
      const Error error = refused(function, provider, c.clipboard);
      CHECK(error.kind() == Kind::Refused);
      CHECK_MESSAGE(holds(error.what(), c.text), error.what());
      untouched(provider);
      CHECK(provider.machines.size() == before);
    }
  }
}

TEST_CASE("machine tasks: an id that is somebody else's by now") {
  const std::string known = kSpec + "instance_id: m-1\n";
  for (const auto& [name, function] : tasks_that_touch()) {
    const std::string task = name;
    if (task == "deploy") continue;
    for (const auto& marks : {std::optional<Marks>(), std::optional<Marks>(Marks{"thor.example.org", "r", "s"})}) {
      CAPTURE(task);
      FakeProvider provider;
      provider.add("m-1", "thor.example.org", marks);
      CHECK(refused(function, provider, known).kind() == Kind::Refused);
      untouched(provider);
    }
  }
  // A new machine hurts nobody; the old id is not touched.
  FakeProvider provider;
  provider.add("m-1", "thor.example.org", {});
  const Call call = done(kDeploy, provider, known);
  CHECK(call.clipboard.scalar("instance_id") == "new-1");
  CHECK(provider.machines.size() == 2);
}

TEST_CASE("machine tasks: deploy creates once") {
  FakeProvider provider;
  const Call first = done(kDeploy, provider);
  CHECK(first.clipboard.scalar("instance_id") == "new-1");
  CHECK(first.clipboard.list("ipaddress") == std::vector<std::string>{"192.0.2.7"});
  CHECK(first.clipboard.scalar("created") == "2026-11-01T00:00:00Z");
  CHECK(first.clipboard.require("password").size() >= 16);
  REQUIRE(provider.machines.size() == 1);
  CHECK(provider.machines[0].marks->step == "step1");
  SUBCASE("asked again by the same step, with what it had before: completed, not made again") {
    const Call again = done(kDeploy, provider);
    CHECK(again.clipboard.scalar("instance_id") == "new-1");
    CHECK(provider.count("create") == 1);
    CHECK(provider.count("complete") == 2);
    CHECK(provider.count("differences") == 0);
  }
  SUBCASE("by a later run: kept") {
    provider.machines[0].marks->step = "step0";
    const Call again = done(kDeploy, provider, first.clipboard.text());
    CHECK(again.clipboard.text() == first.clipboard.text());
    CHECK(provider.count("create") == 1);
    CHECK(provider.count("differences") == 1);
  }
  SUBCASE("without a boot") {
    FakeProvider other;
    (void)done([](Call& call, Provider& p) { deploy(call, p, false); }, other);
    CHECK(other.count("create") == 1);
    CHECK(other.count("complete") == 0);
  }
}

TEST_CASE("machine tasks: a kept machine that is not as the spec says") {
  FakeProvider provider;
  provider.add("m-1", kFqdn, kOurs);
  provider.unlike = {"has 512 MB, the spec wants 1024", "is in the cellar"};
  const Error error = refused(kDeploy, provider);
  CHECK(error.kind() == Kind::Refused);
  CHECK(holds(error.what(), "has 512 MB, the spec wants 1024; is in the cellar: `redeploy` changes that"));
  untouched(provider);
}

TEST_CASE("machine tasks: what this step created is taken back when the rest is refused") {
  struct Case {
    const char* name;
    std::optional<Marks> there;     // before the attempt
    Kind fault;                     // of complete()
    std::optional<Kind> of_remove;  // of remove()
    Kind want;
    std::size_t left;
    const char* text;
  };
  for (const Case& c : {
           Case{"created now",
                {},
                Kind::Permanent,
                {},
                Kind::Permanent,
                0,
                "no space; what this step created is removed"},
           Case{"by an earlier attempt", kThisStep, Kind::Permanent, {}, Kind::Permanent, 0, "is removed"},
           Case{"the spec is wrong after all", {}, Kind::Usage, {}, Kind::Usage, 0, "is removed"},
           Case{"kept", kOurs, Kind::Permanent, {}, Kind::Permanent, 1, "no space"},
           Case{"may pass", {}, Kind::Transient, {}, Kind::Transient, 1, "no space"},
           Case{"removing may pass", {}, Kind::Permanent, Kind::Transient, Kind::Transient, 1, "busy"},
           Case{"cannot be removed",
                {},
                Kind::Permanent,
                Kind::Permanent,
                Kind::Permanent,
                1,
                "no space; what this step created (fake loki.example.org (new-1)) could not be removed: busy"},
       }) {
    CAPTURE(c.name);
    FakeProvider provider;
    if (c.there) provider.add("m-1", kFqdn, c.there);
    provider.faults["complete"] = {Error(c.fault, "no space")};
    if (c.of_remove) provider.faults["take back"] = {Error(*c.of_remove, "busy")};
    const Error error = refused(kDeploy, provider);
    CHECK(error.kind() == c.want);
    CHECK_MESSAGE(holds(error.what(), c.text), error.what());
    CHECK(provider.machines.size() == c.left);
  }
  // Also when what was offered at the first attempt is not any more.
  FakeProvider provider;
  provider.add("m-1", kFqdn, kThisStep);
  provider.faults["resolve"] = {Error(Kind::Usage, "no such image")};
  CHECK(refused(kDeploy, provider).kind() == Kind::Usage);
  CHECK(provider.machines.empty());
}

TEST_CASE("machine tasks: power, twice and when it is gone") {
  FakeProvider provider;
  const Task off = [](Call& call, Provider& p) { shutdown(call, p); };
  (void)done(off, provider);  // gone: well
  CHECK(refused(startup, provider).kind() == Kind::Permanent);
  CHECK(holds(refused(startup, provider).what(), "`deploy` makes it"));
  provider.add("m-1", kFqdn, kOurs);
  (void)done(off, provider);
  (void)done(off, provider);
  CHECK(provider.count("power_off") == 1);
  (void)done(startup, provider);
  (void)done(startup, provider);
  CHECK(provider.count("power_on") == 1);
  (void)done(reboot, provider);
  CHECK(provider.count("reboot") == 1);
  provider.machines[0].power = Power::Off;
  (void)done(reboot, provider);
  CHECK(provider.count("power_on") == 2);
}

TEST_CASE("machine tasks: destroy, and again") {
  const std::string board = kSpec +
                            "size: 512\ninstance_id: m-1\nipaddress: [192.0.2.7]\npassword: geheimnis\nsshfp: [x]\n"
                            "ssh_host_keys: [ssh-ed25519 AAAA]\n";
  for (const bool all : {true, false}) {
    FakeProvider provider;
    provider.add("m-1", kFqdn, kOurs);
    const Task task = all ? Task(destroy) : Task(delete_machine);
    Call call = done(task, provider, board);
    CHECK(provider.machines.empty());
    CHECK(provider.count(all ? "remove all" : "remove") == 1);
    CHECK(call.clipboard.text() == kSpec + "size: 512\n");
    call = done(task, provider, board);
    CHECK(provider.calls.back() == "remove left over");
    CHECK(call.clipboard.text() == kSpec + "size: 512\n");
  }
}

TEST_CASE("machine tasks: what somebody else gave the machine is told before it is left behind") {
  for (const Task& task : {Task(destroy), Task(delete_machine)}) {
    FakeProvider provider;
    provider.others = {"disk sdh (v-9)"};
    CHECK(planned(task, provider).empty());  // there is no machine
    provider.add("m-1", kFqdn, kOurs);
    CHECK(planned(task, provider).ends_with("change: leave behind disk sdh (v-9), which is not this host's\n"));
  }
}

TEST_CASE("machine tasks: destroy of a host whose machine is gone ends what else there is") {
  FakeProvider provider;
  provider.left = {"volume data (v-1)"};
  CHECK(planned(delete_machine, provider).empty());
  (void)done(delete_machine, provider);
  CHECK(provider.left.size() == 1);
  CHECK(planned(destroy, provider) == "change: delete volume data (v-1)\n");
  CHECK(provider.left.size() == 1);
  (void)done(destroy, provider);
  CHECK(provider.left.empty());
  // With a machine its belongings are what goes.
  provider.add("m-1", kFqdn, kOurs);
  provider.left = {"volume data (v-1)"};
  (void)done(destroy, provider);
  CHECK(provider.count("remove left over") == 2);
  SUBCASE("not when the machine of this run is somebody else's by now") {
    provider.add("m-2", "thor.example.org", {});
    CHECK(refused(destroy, provider, kSpec + "instance_id: m-2\n").kind() == Kind::Refused);
    CHECK(provider.count("remove left over") == 2);
  }
}

TEST_CASE("machine tasks: where the host finds its disks is given with the machine, and forgotten with it") {
  FakeProvider provider;
  provider.on_host = {{"data", {"/dev/sdc"}}};
  const Call made = done(kDeploy, provider);
  CHECK(jarvis::workers::devices_of(made.clipboard, "data") == std::vector<std::string>{"/dev/sdc"});
  CHECK(jarvis::workers::devices_of(done(adopt, provider).clipboard, "data").size() == 1);
  const std::string known = made.clipboard.text() + "mounted: {data: /srv/data}\n";
  CHECK(done(kDeploy, provider, known).clipboard.has("mounted"));
  for (const auto& task : {delete_machine, destroy}) {
    const Call gone = done(task, provider, known);
    CHECK_FALSE(gone.clipboard.has("devices"));
    CHECK_FALSE(gone.clipboard.has("mounted"));
  }
  provider.on_host.clear();  // a spec that names none any more
  CHECK_FALSE(done(kDeploy, provider, kSpec + "devices: {data: [/dev/sdc]}\n").clipboard.has("devices"));
}

TEST_CASE("machine tasks: what cannot be mounted is said before a machine is made") {
  const std::string spec = kSpec + "volumes: {data: 20}\nmounts: {data: /etc}\n";
  FakeProvider provider;
  for (const Task& task : {kDeploy, Task(can_deploy)}) {
    const Error error = refused(task, provider, spec);
    CHECK(error.kind() == Kind::Usage);
    CHECK(holds(error.what(), "mounts: data: `/etc` is the system's own"));
    CHECK(error_of([&] { (void)planned(task, provider, spec); }).kind() == Kind::Usage);
  }
  CHECK(provider.machines.empty());
  untouched(provider);
}

TEST_CASE("machine tasks: adopt") {
  SUBCASE("one that jarvis did not make") {
    FakeProvider provider;
    provider.add("m-1", kFqdn, {});
    CHECK(planned(adopt, provider) ==
          "change: take over fake loki.example.org (m-1) at 192.0.2.7, small in the cellar\n");
    untouched(provider);
    const Call call = done(adopt, provider);
    CHECK(provider.marked.fqdn == kFqdn);
    CHECK(provider.marked.run == "run1");
    CHECK(call.clipboard.scalar("instance_id") == "m-1");
    CHECK(call.clipboard.scalar("datacenter") == "cellar");
    CHECK_FALSE(call.clipboard.has("password"));
    // The attempt after one that died in between.
    (void)done(adopt, provider);
    CHECK(provider.count("mark") == 1);
    // From then on it is a host like any other.
    (void)done(destroy, provider, call.clipboard.text());
    CHECK(provider.machines.empty());
  }
  SUBCASE("one whose run is not known any more") {
    FakeProvider provider;
    provider.add("m-1", kFqdn, kOurs);
    CHECK(holds(planned(adopt, provider), "made by run run0"));
    CHECK(done(adopt, provider).clipboard.scalar("instance_id") == "m-1");
    CHECK(provider.count("mark") == 0);
  }
  SUBCASE("none") {
    FakeProvider provider;
    CHECK(planned(adopt, provider).empty());
    CHECK(refused(adopt, provider).kind() == Kind::Permanent);
  }
  SUBCASE("another host's, a renamed one, two, another than the clipboard's") {
    for (const char* which : {"other", "renamed", "two", "known"}) {
      CAPTURE(which);
      FakeProvider provider;
      const std::string name = which;
      provider.add("m-1", name == "renamed" ? "thor.example.org" : kFqdn,
                   name == "other"     ? std::optional<Marks>(Marks{"thor.example.org", "r", "s"})
                   : name == "renamed" ? std::optional<Marks>(kOurs)
                                       : std::nullopt);
      if (name == "two") provider.add("m-2", kFqdn, {});
      CHECK(refused(adopt, provider, kSpec + (name == "known" ? "instance_id: m-9\n" : "")).kind() == Kind::Refused);
      untouched(provider);
    }
  }
}

TEST_CASE("machine tasks: plan mode says what and what it costs, once") {
  FakeProvider provider;
  const std::string created =
      "change: create fake loki.example.org: small in the cellar, 5.00 EUR a month\ncost: 5.00 EUR\n";
  CHECK(planned(kDeploy, provider) == created);
  CHECK(planned(can_deploy, provider).empty());  // `deploy` says it
  CHECK(planned(destroy, provider).empty());
  CHECK(provider.count("ask") == 2);
  provider.add("m-1", kFqdn, kOurs);
  CHECK(planned(kDeploy, provider).empty());
  CHECK(planned(can_deploy, provider) ==
        "change: create fake loki.example.org anew: small in the cellar, 5.00 EUR a month\ncost: 5.00 EUR\n");
  CHECK(planned(destroy, provider) ==
        "change: delete fake loki.example.org (m-1) at 192.0.2.7\nchange: delete volume data (v-1)\n");
  CHECK(planned(delete_machine, provider) == "change: delete fake loki.example.org (m-1) at 192.0.2.7\n");
  CHECK(planned(shutdown, provider) == "change: power off fake loki.example.org (m-1)\n");
  provider.machines[0].power = Power::Off;
  CHECK(planned(kDeploy, provider) == "change: start fake loki.example.org (m-1)\n");
  provider.monthly.reset();
  CHECK(planned(can_deploy, provider) == "change: create fake loki.example.org anew: small in the cellar\n");
  provider.faults["ask"] = {Error(Kind::Permanent, "quota")};
  CHECK(refused(can_deploy, provider).kind() == Kind::Permanent);
  untouched(provider);
}

TEST_CASE("machine tasks: an address that is not there yet") {
  FakeProvider provider;
  provider.add("m-1", kFqdn, kOurs).addresses.clear();
  CHECK(refused(get_address, provider).kind() == Kind::Transient);
  provider.machines[0].addresses = {"192.0.2.9", "2001:db8::9"};
  CHECK(done(get_address, provider).clipboard.list("ipaddress") == provider.machines[0].addresses);
  CHECK(refused(get_macaddrs, provider).kind() == Kind::Permanent);
}
