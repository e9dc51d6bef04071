#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "bot/config_values.h"
#include "bot/settings_sections.h"

namespace jarvis::bot {

namespace {

using Wrong = std::optional<std::string>;

Wrong wrong_with_server(std::string_view name) {
  in6_addr address{};
  if (::inet_pton(AF_INET, std::string(name).c_str(), &address) == 1) return {};
  if (const auto wrong = wrong_with_domain(name)) return "must be a host name or an IPv4 address: " + *wrong;
  return {};
}

// It stands between quotes in what the DHCP server reads.
Wrong wrong_with_loader(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/+").find(c) != std::string_view::npos;
  };
  if (name.empty() || name.size() > 127 || !std::all_of(name.begin(), name.end(), plain))
    return "must be a file name on the boot server, like pxelinux.0";
  return {};
}

// "RANGE=ROUTER" when both are well.
std::optional<std::string> subnet(const Value& value) {
  const std::string& range = value.key();
  const std::size_t slash = range.find('/');
  in_addr first{};
  const auto bits = slash == std::string::npos ? std::nullopt : parse_number(range.substr(slash + 1));
  const bool is_range = bits && ::inet_pton(AF_INET, range.substr(0, slash).c_str(), &first) == 1;
  if (!is_range || *bits < 8 || *bits > 30) {
    value.refuse("must be an IPv4 subnet like 10.20.0.0/24, from /8 to /30");
    return {};
  }
  const std::uint32_t mask = 0xffffffffU << (32U - static_cast<unsigned>(*bits));
  if ((ntohl(first.s_addr) & ~mask) != 0) {
    value.refuse("does not start at its first address");
    return {};
  }
  Section section(value);
  const auto router = section.take("router");
  const auto text = router ? router->text() : std::nullopt;
  if (!router) value.refuse("router is missing");
  section.done();
  if (!text) return {};
  in_addr address{};
  if (::inet_pton(AF_INET, text->c_str(), &address) != 1) {
    router->refuse("must be an IPv4 address");
  } else if ((ntohl(address.s_addr) & mask) != ntohl(first.s_addr)) {
    router->refuse("does not lie in " + range);
  } else {
    return range + "=" + *text;
  }
  return {};
}

std::string checked_list(const std::optional<Value>& value, Wrong (*wrong_with)(std::string_view)) {
  std::string list;
  if (!value) return list;
  for (const Value& item : value->items()) {
    const auto text = item.text();
    if (!text) continue;
    if (const auto wrong = wrong_with(*text)) {
      item.refuse(*wrong);
    } else {
      list += (list.empty() ? "" : " ") + *text;
    }
  }
  return list;
}

void grant(std::vector<ModuleSetting>& grants, const char* name, const std::string& value) {
  if (!value.empty()) grants.push_back({name, value});
}

void grant_loader(Section& section, const char* key, const char* name, std::vector<ModuleSetting>& grants) {
  const auto value = section.take(key);
  const auto text = value ? value->text() : std::nullopt;
  const auto wrong = text ? wrong_with_loader(*text) : std::nullopt;
  if (wrong) value->refuse(*wrong);
  if (text) grant(grants, name, *text);
}

}  // namespace

void read_pxe(const Value& value, Settings& settings) {
  Section section(value);
  auto& directory = settings.modules["ldapworker"];
  auto& links = settings.modules["pxe"];

  const std::string servers = checked_list(section.take("next_servers"), wrong_with_server);
  grant(directory, "NEXT_SERVERS", servers);
  grant(links, "NEXT_SERVERS", servers);
  if (const auto subnets = section.take("subnets")) {
    std::string list;
    for (const Value& one : Section(*subnets).take_all()) {
      if (const auto word = subnet(one)) list += (list.empty() ? "" : " ") + *word;
    }
    grant(directory, "SUBNETS", list);
  }
  grant_loader(section, "install_loader", "INSTALL_LOADER", directory);
  grant_loader(section, "local_loader", "LOCAL_LOADER", directory);

  const auto root = section.path("tftp_root", Existing::MustBe);
  const auto templates = section.path("templates", Existing::MustBe);
  if (root && !section.has("templates")) value.refuse("tftp_root needs templates: the directory of install_OS.tpl");
  if (root) grant(links, "TFTP_ROOT", root->string());
  if (templates) grant(links, "TEMPLATES", templates->string());
  const auto triggers = section.take("dhcplinks");
  if (triggers && root) triggers->refuse("is asked where others make the links; with tftp_root jarvis makes them");
  grant(links, "DHCPLINKS", checked_list(triggers, wrong_with_url_pattern));
  if (const auto ca = section.path("ca_file", Existing::MustBe)) grant(links, "CA_FILE", ca->string());
  section.done();
}

}  // namespace jarvis::bot
