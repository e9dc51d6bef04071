#include "providers/ec2_type_cache.h"

#include <unistd.h>

#include <fstream>
#include <iterator>

namespace jarvis::providers {

namespace {

namespace fs = std::filesystem;

constexpr auto kGoodFor = std::chrono::hours(24);

std::optional<std::vector<Ec2Type>> kept(const fs::path& file) {
  std::error_code nothing_kept;
  const auto written = fs::last_write_time(file, nothing_kept);
  const auto now = fs::file_time_type::clock::now();
  if (nothing_kept || now - written > kGoodFor || written > now) return {};
  std::ifstream in(file);
  return types_in(std::string(std::istreambuf_iterator<char>(in), {}));
}

// A list that cannot be kept is asked for again: no reason to fail.
void keep(const fs::path& file, const std::vector<Ec2Type>& types) {
  const fs::path fresh = file.string() + "." + std::to_string(::getpid());
  std::ofstream out(fresh);
  out << text_of(types);
  out.close();
  std::error_code not_kept;
  if (out) fs::rename(fresh, file, not_kept);
  if (!out || not_kept) fs::remove(fresh, not_kept);
}

}  // namespace

std::vector<Ec2Type> cached_types(Ec2Account& account, const std::string& region) {
  const fs::path file = account.directory() / ("types-" + region);
  if (auto types = kept(file)) return std::move(*types);
  std::vector<Ec2Type> types;
  account.in(region).pages(Query("DescribeInstanceTypes"), "instanceTypeSet", 100,
                           [&](const pugi::xml_node& item) { types.push_back(type_of(item)); });
  if (!types.empty()) keep(file, types);
  return types;
}

std::vector<Ec2Type> type_named(Ec2Api& api, const std::string& id) {
  Query query("DescribeInstanceTypes");
  std::vector<Ec2Type> types;
  try {
    const auto answer = api.look(query.list("InstanceType", {id}));
    for (const auto& item : answer->document_element().child("instanceTypeSet").children("item"))
      types.push_back(type_of(item));
  } catch (const Ec2Refusal& e) {
    if (e.code != "InvalidInstanceType" && e.code != "InvalidParameterValue") throw;
  }
  return types;
}

}  // namespace jarvis::providers
