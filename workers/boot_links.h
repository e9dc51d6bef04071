// The files by which pxelinux finds a host's boot menu in a TFTP root of this machine. Of pxelinux.cfg/:
//   01-aa-bb-cc-dd-ee-ff -> FQDN -> IP -> IP in 8 hexadecimal digits -> ../pxelinux.menus/MENU
// so that each name that a loader or a person may look by leads to one menu, and changing one link changes it for all.
// Knows no clipboard and no server. Blocks on the disk. Everything is made under another name and moved into place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workers/boot_host.h"

namespace jarvis::workers {

constexpr const char* kLinksDirectory = "pxelinux.cfg";
constexpr const char* kMenusDirectory = "pxelinux.menus";
constexpr const char* kMainMenu = "main_menu";

// "C0A80102" of 192.168.1.2. Error(Usage) for what is no IPv4 address.
std::string boot_hex(const std::string& address);

struct BootLink {
  std::string name, target;  // in pxelinux.cfg/
  bool operator==(const BootLink&) const = default;
};

std::string install_menu(const std::string& fqdn);  // "install_FQDN"
std::vector<BootLink> boot_links(const BootHost& host, const std::string& menu);

class TftpRoot {
 public:
  // Error(Usage) when it is no directory.
  explicit TftpRoot(std::string path);

  // What is not so yet, one line each, with the links of cards that the host has no more. Error(Permanent) for what is
  // in the way and not a link of such a chain: a file, a card's link to another host, an address's link that leads
  // elsewhere, another host's link to this address.
  std::vector<std::string> missing(const BootHost& host, const std::string& menu) const;
  void link(const BootHost& host, const std::string& menu) const;
  // The paths of all links that lead through this name, and of its install menu, in the order in which they are taken
  // away: cut short, what is left is still found by the name. An address that another host leads to, too, stays.
  std::vector<std::string> present(const std::string& fqdn) const;
  void unlink(const std::string& fqdn) const;

  // A menu's text; nothing is empty. A file is replaced only when its text differs; anybody may read it.
  std::string read_menu(const std::string& menu) const;
  void write_menu(const std::string& menu, const std::string& text) const;

 private:
  std::string menu_path(const std::string& menu) const;
  std::string link_path(const std::string& name) const;
  // Another host's link to this address.
  std::optional<std::string> other_at(const std::string& address, const std::string& fqdn) const;
  std::vector<std::string> cards_of(const std::string& fqdn) const;
  std::vector<std::string> stale_cards(const BootHost& host) const;
  std::vector<BootLink> wrong_links(const BootHost& host, const std::string& menu) const;

  std::string path_;
};

}  // namespace jarvis::workers
