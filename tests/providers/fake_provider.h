// A provider in memory, scripted by the test: its machines are a list that anybody may change, each call is written
// down, and each can be made to fail as often as the test says.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "providers/machine_tasks.h"

namespace jarvis::tests {

class FakeProvider final : public providers::Provider {
 public:
  std::vector<providers::Machine> machines;
  std::vector<std::string> calls;
  std::map<std::string, std::vector<pipeline::Error>> faults;  // of a call, one each time
  std::vector<std::string> unlike;                             // what differences() says
  std::vector<std::string> left;                               // what left_over() says
  std::vector<std::string> others;                             // what left_behind() says
  workers::Devices on_host;                                    // what devices() says
  std::optional<double> monthly = 5.0;
  providers::Marks marked;

  providers::Machine& add(const std::string& id, const std::string& name, std::optional<providers::Marks> marks) {
    providers::Machine machine;
    machine.id = id;
    machine.name = name;
    machine.marks = std::move(marks);
    machine.power = providers::Power::On;
    machine.addresses = {"192.0.2.7"};
    machine.created = "2026-11-01T00:00:00Z";
    machine.shown = "small in the cellar";
    machines.push_back(machine);
    return machines.back();
  }
  std::size_t count(const std::string& call) const {
    return static_cast<std::size_t>(std::count(calls.begin(), calls.end(), call));
  }

  const std::string& name() const override { return name_; }
  std::vector<providers::Machine> find(const std::string& fqdn) override {
    said("find");
    std::vector<providers::Machine> found;
    for (const auto& one : machines) {
      if (one.name == fqdn || (one.marks && one.marks->fqdn == fqdn)) found.push_back(one);
    }
    return found;
  }
  std::optional<providers::Machine> machine(const std::string& id) override {
    said("machine");
    for (const auto& one : machines) {
      if (one.id == id) return one;
    }
    return std::nullopt;
  }
  providers::Recipe resolve(const Clipboard&) override {
    said("resolve");
    return {"small in the cellar", monthly, "EUR"};
  }
  void ask(const Call&) override { said("ask"); }
  providers::Machine create(const Call&, const providers::Marks& marks) override {
    said("create");
    return add("new-" + std::to_string(++made_), marks.fqdn, marks);
  }
  providers::Machine complete(const Call&, providers::Machine machine) override {
    said("complete");
    machine.power = providers::Power::On;
    return machine;
  }
  std::vector<std::string> differences(const Clipboard&, const providers::Machine&) override {
    said("differences");
    return unlike;
  }
  workers::Devices devices(const Clipboard&, const providers::Machine&) override { return on_host; }
  void power_on(const Call&, const providers::Machine& machine) override { power("power_on", machine, true); }
  void power_off(const Call&, const providers::Machine& machine) override { power("power_off", machine, false); }
  void reboot(const Call&, const providers::Machine&) override { said("reboot"); }
  void remove(const Call&, const providers::Machine& machine, providers::Extent extent) override {
    using providers::Extent;
    said(extent == Extent::All ? "remove all" : extent == Extent::Step ? "take back" : "remove");
    std::erase_if(machines, [&](const auto& one) { return one.id == machine.id; });
  }
  std::vector<std::string> belongings(const Call&, const providers::Machine&, providers::Extent extent) override {
    return extent == providers::Extent::All ? std::vector<std::string>{"volume data (v-1)"}
                                            : std::vector<std::string>{};
  }
  std::vector<std::string> left_behind(const Call&, const providers::Machine&, providers::Extent) override {
    return others;
  }
  std::vector<std::string> left_over(const Call&, providers::Extent extent) override {
    return extent == providers::Extent::All ? left : std::vector<std::string>{};
  }
  void remove_left_over(const Call&, providers::Extent extent) override {
    said("remove left over");
    if (extent == providers::Extent::All) left.clear();
  }
  void mark(const providers::Machine& machine, const providers::Marks& marks) override {
    said("mark");
    marked = marks;
    for (auto& one : machines) {
      if (one.id == machine.id) one.marks = marks;
    }
  }
  void describe(const providers::Machine&, Clipboard& clipboard) override {
    said("describe");
    clipboard.set("datacenter", "cellar");
  }
  std::vector<providers::Owned> owned() override { return {}; }
  std::vector<providers::Offer> offers() override { return {}; }

 private:
  void said(const std::string& call) {
    calls.push_back(call);
    auto& planned = faults[call];
    if (planned.empty()) return;
    const pipeline::Error fault = planned.front();
    planned.erase(planned.begin());
    throw pipeline::Error(fault);
  }
  void power(const char* call, const providers::Machine& machine, bool on) {
    said(call);
    for (auto& one : machines) {
      if (one.id == machine.id) one.power = on ? providers::Power::On : providers::Power::Off;
    }
  }

  std::string name_ = "fake";
  int made_ = 0;
};

}  // namespace jarvis::tests
