#include "providers/ec2_provider.h"

#include <algorithm>

#include "providers/ec2_patience.h"
#include "workers/key_wire.h"

namespace jarvis::providers {

using pipeline::Error;
using pipeline::Kind;
using namespace std::chrono_literals;

namespace {

constexpr auto kStartsWithin = 20s;  // a machine that cannot start is terminated by EC2 within seconds

std::vector<std::string> living() {
  return {"pending", "running", "stopping", "stopped"};
}

Query about(const char* action, const Machine& machine) {
  Query query(action);
  return query.list("InstanceId", {machine.id});
}

Power power_of(const Ec2Instance& instance) {
  if (instance.state == "running") return Power::On;
  return instance.state == "stopped" ? Power::Off : Power::Changing;
}

}  // namespace

Ec2::Ec2(const Call& call) : run_(call.run), step_(call.step), account_(call) {}

const std::string& Ec2::name() const {
  static const std::string name = "ec2";
  return name;
}

Ec2Api& Ec2::api_of(const std::string& id) {
  const auto found = regions_.find(id);
  return account_.in(found == regions_.end() ? account_.regions().front() : found->second);
}

Machine Ec2::seen(Ec2Api& api, const Ec2Instance& instance) {
  regions_[instance.id] = api.region();
  Machine made;
  made.id = instance.id;
  made.name = tag_of(instance.tags, "Name");
  made.marks = marks_of(instance.tags);
  made.power = power_of(instance);
  made.addresses = instance.addresses;
  made.macaddrs = instance.macs;
  made.created = instance.created;
  made.shown = instance.type + " in " + instance.zone + " from " + instance.image + ", " + instance.state;
  if (made.marks && made.marks->run == run_ && made.marks->step == step_) made_ = made;
  return made;
}

void Ec2::read_instances(Ec2Api& api, const Query& query, std::vector<Machine>& into) {
  api.pages(query, "reservationSet", 200, [&](const pugi::xml_node& reservation) {
    for (const auto& item : reservation.child("instancesSet").children("item")) {
      const Ec2Instance instance = instance_of(item);
      const auto same = [&](const Machine& one) { return one.id == instance.id; };
      if (instance.gone() || std::any_of(into.begin(), into.end(), same)) continue;
      into.push_back(seen(api, instance));
    }
  });
}

std::vector<Machine> Ec2::find(const std::string& fqdn) {
  std::vector<Machine> found;
  for (const std::string& region : account_.regions()) {
    // Filters of two names must both fit, so each is a call of its own.
    for (const std::string tag : {"tag:Name", "tag:jarvis:fqdn"}) {
      Query query("DescribeInstances");
      query.filter(tag, {fqdn}).filter("instance-state-name", living());
      read_instances(account_.in(region), query, found);
    }
  }
  return found_ = found;
}

std::optional<Machine> Ec2::machine(const std::string& id) {
  for (const std::string& region : account_.regions()) {
    Query query("DescribeInstances");
    query.filter("instance-id", {id}).filter("instance-state-name", living());
    std::vector<Machine> found;
    read_instances(account_.in(region), query, found);
    if (!found.empty()) return found.front();
  }
  return {};
}

std::optional<Ec2Instance> Ec2::instance_if_listed(const std::string& id) {
  Query query("DescribeInstances");
  query.filter("instance-id", {id});
  std::optional<Ec2Instance> found;
  api_of(id).pages(query, "reservationSet", 100, [&](const pugi::xml_node& reservation) {
    for (const auto& item : reservation.child("instancesSet").children("item")) found = instance_of(item);
  });
  return found;
}

Ec2Instance Ec2::instance(const std::string& id) {
  auto found = instance_if_listed(id);
  if (!found) workers::not_yet("EC2 does not list " + id + " yet", poll());
  return std::move(*found);
}

Recipe Ec2::resolve(const Clipboard& clipboard) {
  // What this step has made already needs no second look at what is offered.
  if (made_) return {made_->shown, {}, "USD"};
  launch_ = launch_of(clipboard, account_);
  return {launch_->shown(), {}, "USD"};
}

void Ec2::ask(const Call& call) {
  if (!launch_) return;
  Ec2Launch launch = *launch_;
  if (!found_.empty()) {
    // A redeploy: the machine goes first, and the volumes that are wiped.
    const Machine& machine = found_.front();
    must_be_deletable(machine);
    const auto wiped = call.clipboard.list("wipe");
    const auto others = other_disks(api_of(machine.id), instance(machine.id), call.clipboard.require("fqdn"));
    must_lose_no_disk(machine, others, {Extent::Machine, wiped, run_, step_});
    for (const Ec2Disk& disk : others) std::erase(launch.unknown_to_wipe, disk.name);
    for (const WantedVolume& one : wanted_volumes(call.clipboard)) {
      const auto same = [&](const WantedVolume& other) { return other.name == one.name; };
      if (std::find(wiped.begin(), wiped.end(), one.name) != wiped.end() &&
          std::none_of(launch.lacking.begin(), launch.lacking.end(), same))
        launch.lacking.push_back(one);
    }
  }
  if (!launch.unknown_to_wipe.empty())
    throw Error(Kind::Usage, "wipe: " + launch.unknown_to_wipe.front() + " is no volume of this host");
  ask_for(account_.in(launch.place.region), launch, {call.clipboard.require("fqdn"), run_, step_});
}

Machine Ec2::create(const Call& call, const Marks& marks) {
  Ec2Api& api = account_.in(launch_->place.region);
  return seen(api, run_instance(call, api, *launch_, marks, poll()));
}

Machine Ec2::complete(const Call& call, Machine machine) {
  Ec2Api& api = api_of(machine.id);
  Ec2Instance now;
  const auto settled = [&] {
    now = instance(machine.id);
    return now.state != "pending";
  };
  if (!wait_until(settled, poll(), kStartsWithin)) {
    call.progress("waiting for EC2 to start " + machine.id);
    workers::not_yet(machine.id + " is pending", poll());
  }
  if (now.gone()) throw Error(Kind::Permanent, machine.id + " is " + now.state + ": " + now.reason);
  if (now.state == "stopped") change_or_wait(api, about("StartInstances", machine), poll());
  if (now.state != "running") workers::not_yet(machine.id + " is " + now.state, poll());
  const bool new_address = associate_address(call, api, now, poll());
  attach_volumes(call, api, now, poll());
  return seen(api, new_address ? instance(machine.id) : now);
}

void Ec2::power_on(const Call& call, const Machine& machine) {
  const Ec2Instance now = instance(machine.id);
  if (now.state == "running") return;
  if (now.state == "stopped") change_or_wait(api_of(machine.id), about("StartInstances", machine), poll());
  call.progress("waiting for EC2 to start " + machine.id);
  workers::not_yet(machine.id + " is not running yet", poll());
}

void Ec2::power_off(const Call& call, const Machine& machine) {
  const Ec2Instance now = instance(machine.id);
  if (now.state == "stopped" || now.gone()) return;
  if (now.state == "running") change_or_wait(api_of(machine.id), about("StopInstances", machine), poll());
  call.progress("waiting for " + machine.id + " to stop");
  workers::not_yet(machine.id + " is not stopped yet", poll());
}

void Ec2::reboot(const Call&, const Machine& machine) {
  change_or_wait(api_of(machine.id), about("RebootInstances", machine), poll());
}

std::string Ec2::console(const Machine& machine) {
  Query query("GetConsoleOutput");
  const auto answer = api_of(machine.id).look(query.set("InstanceId", machine.id));
  std::string coded = text_at(answer->document_element(), "output");
  std::erase_if(coded, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  const auto text = workers::from_base64(coded);
  if (!text) throw Error(Kind::Permanent, "EC2 GetConsoleOutput answers with what is no base64");
  return *text;
}

}  // namespace jarvis::providers
