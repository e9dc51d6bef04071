#include "workers/boot_links.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "workers/printable.h"

namespace jarvis::workers {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostMenuBytes = 1U << 20U;

// The target of a link; nothing when there is nothing. Error(Permanent) for anything but a link.
std::optional<std::string> target_of(const std::string& path) {
  std::error_code error;
  const auto status = fs::symlink_status(path, error);
  if (status.type() == fs::file_type::not_found) return {};
  if (error) throw Error(Kind::Permanent, path + ": " + error.message());
  if (status.type() != fs::file_type::symlink)
    throw Error(Kind::Permanent, path + " is in the way: it is no link of jarvis's");
  const fs::path target = fs::read_symlink(path, error);
  if (error) throw Error(Kind::Permanent, path + ": " + error.message());
  return target.string();
}

// One host's tasks do not overlap, so that its name is enough.
std::string temporary_name(const std::string& path) {
  const fs::path whole(path);
  return (whole.parent_path() / ("." + whole.filename().string() + ".new")).string();
}

void move_into_place(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  const Error error = pipeline::system_error(to);
  ::unlink(from.c_str());
  throw error;
}

void make_link(const std::string& target, const std::string& path) {
  const std::string made = temporary_name(path);
  ::unlink(made.c_str());  // of an attempt that died here
  if (::symlink(target.c_str(), made.c_str()) != 0) throw pipeline::system_error(made);
  move_into_place(made, path);
}

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) {
    if (::chmod(path.c_str(), 0755) != 0) throw pipeline::system_error(path);  // whatever our umask is
  } else if (errno != EEXIST) {
    throw pipeline::system_error(path);
  }
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw pipeline::system_error(path);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  std::string text(kMostMenuBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMostMenuBytes) throw Error(Kind::Permanent, path + ": is larger than 1 MiB");
  return text;
}

}  // namespace

std::string boot_hex(const std::string& address) {
  static const char* const kHex = "0123456789ABCDEF";
  const auto ip = IpAddress::parse(address);
  if (!ip || !ip->v4()) throw Error(Kind::Usage, "`" + printable(address, 60) + "` is no IPv4 address");
  std::string made;
  for (std::size_t i = 0; i < 4; ++i) {
    made += kHex[ip->bytes()[i] >> 4U];
    made += kHex[ip->bytes()[i] & 15U];
  }
  return made;
}

std::string install_menu(const std::string& fqdn) {
  return "install_" + fqdn;
}

std::vector<BootLink> boot_links(const BootHost& host, const std::string& menu) {
  // Made from the far end, so that no link ever leads to nothing.
  std::vector<BootLink> links = {
      {boot_hex(host.address), "../" + std::string(kMenusDirectory) + "/" + menu},
      {host.address, boot_hex(host.address)},
      {host.fqdn, host.address},
  };
  for (const MacAddress& mac : host.macs) links.push_back({mac.boot_file(), host.fqdn});
  return links;
}

TftpRoot::TftpRoot(std::string path) : path_(std::move(path)) {
  std::error_code error;
  if (!fs::is_directory(path_, error)) throw Error(Kind::Usage, "pxe.tftp_root: " + path_ + " is no directory");
}

std::string TftpRoot::menu_path(const std::string& menu) const {
  return path_ + "/" + kMenusDirectory + "/" + menu;
}
std::string TftpRoot::link_path(const std::string& name) const {
  return path_ + "/" + kLinksDirectory + "/" + name;
}

std::optional<std::string> TftpRoot::other_at(const std::string& address, const std::string& fqdn) const {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_ + "/" + kLinksDirectory, error)) {
    std::error_code gone;
    const std::string name = entry.path().filename().string();
    if (name != fqdn && !name.starts_with('.') && fs::read_symlink(entry.path(), gone) == address) return name;
  }
  return {};
}

std::vector<std::string> TftpRoot::cards_of(const std::string& fqdn) const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_ + "/" + kLinksDirectory, error)) {
    std::error_code none;
    const std::string name = entry.path().filename().string();
    if (name.starts_with("01-") && fs::read_symlink(entry.path(), none) == fqdn) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// A machine that is gone may have left them, and its cards' addresses are given to others.
std::vector<std::string> TftpRoot::stale_cards(const BootHost& host) const {
  std::vector<std::string> stale;
  for (const std::string& name : cards_of(host.fqdn)) {
    const auto has = [&](const MacAddress& mac) { return mac.boot_file() == name; };
    if (std::none_of(host.macs.begin(), host.macs.end(), has)) stale.push_back(link_path(name));
  }
  return stale;
}

std::vector<BootLink> TftpRoot::wrong_links(const BootHost& host, const std::string& menu) const {
  std::vector<BootLink> wrong;
  const auto in_the_way = [&](const BootLink& link, const std::string& is) {
    return Error(Kind::Permanent, link_path(link.name) + " leads to " + printable(is, 80) + ", not to " + link.target +
                                      ": it is in the way; remove it if it is stale");
  };
  if (const auto other = other_at(host.address, host.fqdn))
    throw Error(Kind::Permanent, link_path(*other) + " leads to " + host.address +
                                     " too, so that it would get the menu of " + host.fqdn +
                                     "; remove it if it is stale");
  const std::string hex = boot_hex(host.address);
  for (const BootLink& link : boot_links(host, menu)) {
    const auto is = target_of(link_path(link.name));
    if (is == link.target) continue;
    wrong.push_back(link);
    if (!is) continue;
    // The host's own link to an address it had before, and the address's link to another menu of this host, are ours.
    const bool may_change =
        link.name == host.fqdn
            ? IpAddress::parse(*is).has_value()
            : link.name == hex && (*is == "../" + std::string(kMenusDirectory) + "/" + kMainMenu ||
                                   *is == "../" + std::string(kMenusDirectory) + "/" + install_menu(host.fqdn));
    if (!may_change) throw in_the_way(link, *is);
  }
  return wrong;
}

std::vector<std::string> TftpRoot::missing(const BootHost& host, const std::string& menu) const {
  std::vector<std::string> lines;
  for (const BootLink& link : wrong_links(host, menu))
    lines.push_back("link " + link_path(link.name) + " -> " + link.target);
  for (const std::string& path : stale_cards(host)) lines.push_back("remove " + path);
  return lines;
}

void TftpRoot::link(const BootHost& host, const std::string& menu) const {
  make_directory(path_ + "/" + kLinksDirectory);
  for (const BootLink& link : wrong_links(host, menu)) make_link(link.target, link_path(link.name));
  for (const std::string& path : stale_cards(host)) remove_file(path);
}

std::vector<std::string> TftpRoot::present(const std::string& fqdn) const {
  std::vector<std::string> paths;
  for (const std::string& name : cards_of(fqdn)) paths.push_back(link_path(name));
  const std::string menus = "../" + std::string(kMenusDirectory) + "/";
  const auto address = target_of(link_path(fqdn));
  const auto ip = address ? IpAddress::parse(*address) : std::nullopt;
  if (ip && ip->v4()) {
    const std::string hex = boot_hex(*address);
    if (!other_at(*address, fqdn)) {
      const auto menu = target_of(link_path(hex));
      if (menu == menus + kMainMenu || menu == menus + install_menu(fqdn)) paths.push_back(link_path(hex));
      if (target_of(link_path(*address)) == hex) paths.push_back(link_path(*address));
    }
    paths.push_back(link_path(fqdn));
  }
  std::error_code ignored;
  if (fs::exists(menu_path(install_menu(fqdn)), ignored)) paths.push_back(menu_path(install_menu(fqdn)));
  return paths;
}

void TftpRoot::unlink(const std::string& fqdn) const {
  for (const std::string& path : present(fqdn)) remove_file(path);
}

std::string TftpRoot::read_menu(const std::string& menu) const {
  return read_file(menu_path(menu));
}

void TftpRoot::write_menu(const std::string& menu, const std::string& text) const {
  if (read_menu(menu) == text) return;
  make_directory(path_ + "/" + kMenusDirectory);
  const std::string path = menu_path(menu);
  std::error_code error;
  const auto status = fs::symlink_status(path, error);
  if (status.type() != fs::file_type::not_found && status.type() != fs::file_type::regular)
    throw Error(Kind::Permanent, path + " is in the way: it is no file");
  const std::string made = temporary_name(path);
  ::unlink(made.c_str());
  const int fd = ::open(made.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) throw pipeline::system_error(made);
  const bool written = write_all(fd, text) && ::fchmod(fd, 0644) == 0 && ::fsync(fd) == 0;
  const Error fault = pipeline::system_error(made);
  ::close(fd);
  if (!written) {
    ::unlink(made.c_str());
    throw fault;
  }
  move_into_place(made, path);
}

}  // namespace jarvis::workers
