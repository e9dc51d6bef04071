#include "workers/pxe.h"

#include <fstream>
#include <sstream>

#include "workers/allow_list.h"
#include "workers/boot_links.h"
#include "workers/http.h"
#include "workers/menu_template.h"
#include "workers/printable.h"
#include "workers/tftp.h"

namespace jarvis::workers {

namespace {

using namespace std::chrono_literals;

constexpr auto kAskAgain = 5s;
constexpr auto kTriggerLimit = 20s;

// The line by which a menu is known, and what it is called.
struct Menu {
  const char* marker;
  const char* other_marker;
  const char* name;
};
constexpr Menu kInstall{"# INSTALL MENU #", "# MAIN MENU #", "install menu"};
constexpr Menu kMain{"# MAIN MENU #", "# INSTALL MENU #", "main menu"};

bool has(const std::string& text, const char* marker) {
  return text.find(marker) != std::string::npos;
}

std::string read_template(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw pipeline::system_error(path);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

std::string install_text(const Call& call, const BootHost& host, const std::string& server) {
  const std::string path = call.setting("TEMPLATES") + "/" + template_file(call.clipboard.require("os"));
  try {
    std::string text = rendered(read_template(path), {{"hostname", host.hostname},
                                                      {"fqdn", host.fqdn},
                                                      {"domainname", host.domain()},
                                                      {"next_server", server},
                                                      {"ip", host.address}});
    if (has(text, kMain.marker))
      throw Error(Kind::Usage, std::string("holds `") + kMain.marker + "`, which marks the main menu");
    return has(text, kInstall.marker) ? text : std::string(kInstall.marker) + "\n" + text;
  } catch (Error& e) {
    throw e.kind() == Kind::Usage ? e.within(path) : e;
  }
}

void make_links(const Call& call, const BootHost& host, const Menu& menu, const std::string& server) {
  const TftpRoot root(call.setting("TFTP_ROOT"));
  const bool install = &menu == &kInstall;
  const std::string file = install ? install_menu(host.fqdn) : std::string(kMainMenu);
  const std::string text = install ? install_text(call, host, server) : root.read_menu(file);
  if (!install && !has(text, menu.marker))
    throw Error(Kind::Usage,
                call.setting("TFTP_ROOT") + "/" + kMenusDirectory + "/" + kMainMenu +
                    (text.empty() ? ": is not there; it is the operator's"
                                  : std::string(": has no line `") + menu.marker + "`, by which it is known"));
  const auto missing = root.missing(host, file);
  if (call.plan) {
    if (install && root.read_menu(file) != text)
      call.change("write the " + std::string(menu.name) + " of " + host.fqdn);
    for (const std::string& line : missing) call.change(line);
    return;
  }
  if (install) root.write_menu(file, text);
  root.link(host, file);
  for (const std::string& line : missing) call.log(line);
}

// The URL of the spec, or the only one that the configuration allows.
std::string trigger_url(const Call& call) {
  const auto patterns = call.setting_list("DHCPLINKS");
  if (patterns.empty())
    throw Error(
        Kind::Usage,
        "the configuration says neither where boot links are made (pxe.tftp_root) nor who makes them (pxe.dhcplinks)");
  const AllowList list(patterns);
  const auto wanted = call.clipboard.scalar("dhcplinks");
  if (!wanted) {
    if (patterns.size() == 1 && patterns.front().find('*') == std::string::npos) return patterns.front();
    throw Error(Kind::Usage, "dhcplinks: missing; a URL that fits " + list.text());
  }
  try {
    const Url url = parse_url(*wanted);
    if (list.allows(url)) return url.text();
    throw Error(Kind::Refused,
                "refused: " + url.shown() + " is none of the configuration's (pxe.dhcplinks): " + list.text());
  } catch (Error& e) {
    throw e.kind() == Kind::Usage ? e.within("dhcplinks") : e;
  }
}

void ask_for_links(const Call& call, const std::string& url) {
  HttpRules rules;
  rules.ca_file = call.setting("CA_FILE", "");
  HttpRequest request;
  request.url = url;
  request.limit = kTriggerLimit;
  const HttpResponse response = make_http_client(std::move(rules))->request(request);
  if (response.status < 200 || response.status > 299) throw error_of(response);
  const std::string said = response.body.substr(0, response.body.find('\n'));
  if (!said.empty()) call.log(response.url.shown() + " says: " + printable(said));
}

// What pxelinux would show, card by card; empty: the right menu to all of them.
std::string not_right_yet(const BootHost& host, const Menu& menu, const std::string& server) {
  for (const MacAddress& mac : host.macs) {
    TftpFile file;
    file.server = server;
    file.path = std::string(kLinksDirectory) + "/" + mac.boot_file();
    const auto text = tftp_get(file);
    const std::string shown = "tftp://" + server + "/" + file.path;
    if (!text) return shown + " is not there";
    if (has(*text, menu.marker)) continue;
    return shown + (has(*text, menu.other_marker) ? " is still the " + std::string(menu.other_marker)
                                                  : " has no line `" + std::string(menu.marker) + "`");
  }
  return {};
}

void show(Call& call, const Menu& menu) {
  const BootHost host = boot_host(call);
  const std::string server = next_server(call);
  if (!call.setting("TFTP_ROOT", "").empty()) {
    make_links(call, host, menu, server);
    if (call.plan) return;
  } else {
    const std::string url = trigger_url(call);
    const std::string why = not_right_yet(host, menu, server);
    if (why.empty()) return call.log("the " + std::string(menu.name) + " is there already");
    if (call.plan) return call.change("ask " + parse_url(url).shown() + " for the " + menu.name + ": " + why);
    ask_for_links(call, url);
  }
  if (const std::string why = not_right_yet(host, menu, server); !why.empty()) not_yet(why, kAskAgain);
  call.progress("the " + std::string(menu.name) + " is there");
}

}  // namespace

void links_install(Call& call) {
  show(call, kInstall);
}

void links_menu(Call& call) {
  show(call, kMain);
}

void links_remove(Call& call) {
  const std::string directory = call.setting("TFTP_ROOT", "");
  if (directory.empty()) return call.log("nothing to do: this jarvis keeps no boot links (pxe.tftp_root)");
  const std::string fqdn =
      boot_fqdn(call);  // nothing more: the machine may be gone, and its cards and addresses with it
  const TftpRoot root(directory);
  for (const std::string& path : root.present(fqdn)) {
    if (call.plan) call.change("remove " + path);
    if (!call.plan) call.log("removed " + path);
  }
  if (!call.plan) root.unlink(fqdn);
}

}  // namespace jarvis::workers
