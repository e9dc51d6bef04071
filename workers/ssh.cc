#include "workers/ssh.h"

#include <charconv>
#include <optional>

#include "workers/data_disk.h"
#include "workers/first_boot.h"
#include "workers/mounts.h"
#include "workers/openssh_key.h"
#include "workers/remote.h"
#include "workers/ssh_session.h"
#include "workers/tcp_connect.h"

namespace jarvis::workers {

namespace {

using namespace std::chrono_literals;

constexpr const char* kUser = "root";
constexpr const char* kLdapSecret = "/etc/ldap/ldap.secret";
constexpr const char* kKeyFile = "/root/.ssh/id_ed25519";
constexpr const char* kHostKeyFile = "/etc/ssh/ssh_host_ed25519_key";
constexpr const char* kNewHostKeyFile = "/etc/ssh/ssh_host_ed25519_key.own";  // until the host answers with it
// $1 takes the place of $2, by renames within a folder: at no moment is there no key. Cut short and asked again it goes
// on: once $1 is gone all is done.
constexpr const char* kReplaceKey =
    "set -e; if [ -e \"$1\" ]; then ssh-keygen -y -P '' -f \"$1\" > \"$2.pub.new\"; chmod 644 \"$2.pub.new\"; "
    "mv -f \"$2.pub.new\" \"$2.pub\"; mv -f \"$1\" \"$2\"; rm -f \"$1.pub\"; fi";
// The listening sshd is the topmost of those that this command comes from, whoever started it. A hang-up makes it read
// its keys anew (sshd(8)).
constexpr const char* kReloadSshd =
    "p=$$; top=; while [ -n \"$p\" ] && [ \"$p\" != 0 ]; do read -r name < /proc/$p/comm; [ \"$name\" != sshd ] || "
    "top=$p; "
    "p=$(sed -n 's/^PPid:[^0-9]*//p' /proc/$p/status); done; [ -n \"$top\" ] && kill -HUP \"$top\"";

PublicKey key_at(const std::string& line, const char* key) {
  try {
    return check_public_key(line);
  } catch (Error& e) {
    throw e.within(key);
  }
}

int port_of(const Clipboard& clipboard) {
  const std::string text = clipboard.scalar("ssh_port").value_or("22");
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(Kind::Usage, "ssh_port: `" + text + "` is not a number");
  return port;
}

SshTarget target_of(const Clipboard& clipboard) {
  SshTarget target;
  target.addresses = clipboard.list("ipaddress");
  target.port = port_of(clipboard);
  for (const std::string& line : clipboard.list("ssh_host_keys"))
    target.host_keys.push_back(key_at(line, "ssh_host_keys"));
  return target;
}

bool log_in(SshSession& session, const Clipboard& clipboard) {
  const std::string private_text = clipboard.require("ssh_login_key");
  try {
    return session.log_in(kUser, private_text, public_half(private_text));
  } catch (Error& e) {
    if (e.kind() == Kind::Usage) e.within("ssh_login_key");
    throw;
  }
}

std::unique_ptr<SshSession> logged_in(const Clipboard& clipboard) {
  auto session = open_ssh_session(target_of(clipboard));
  if (!log_in(*session, clipboard)) {
    throw Error(Kind::Permanent, session->place() + " has the right host key but does not accept the login key " +
                                     public_half(clipboard.require("ssh_login_key")).fingerprint() + " for " + kUser);
  }
  return session;
}

void log_in_and_ask(Call& call) {
  const auto session = open_ssh_session(target_of(call.clipboard));
  if (!log_in(*session, call.clipboard)) {
    // The first boot may still be putting it in.
    throw Error(Kind::Transient, session->place() + " does not accept the login key yet");
  }
  const RemoteResult result = RemoteHost(*session, call).try_run({"true"});
  if (result.exit_status != 0 || !result.signal.empty()) {
    throw Error(Kind::Transient, session->place() + " lets " + kUser + " in but runs no command yet");
  }
  call.log(session->place() + " answers with " + session->host_key().type + ' ' + session->host_key().fingerprint() +
           " and runs commands");
}

// Port 22 has no port in a known_hosts file.
std::string known_hosts_name(const std::string& name, int port) {
  return port == 22 ? name : '[' + name + "]:" + std::to_string(port);
}

// The public half of the ed25519 pair in this file of the host, made there if it is missing.
PublicKey key_pair_on_host(RemoteHost& host, const Call& call, const char* file, const char* key) {
  if (host.try_run({"test", "-s", file}).exit_status != 0) {
    // An empty file is what a crash left; ssh-keygen would ask whether to replace it.
    host.run({"rm", "-f", file});
    host.run({"sh", "-c", "exec mkdir -p -m 700 \"$(dirname \"$1\")\"", "make the folder of", file});
    host.run(
        {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "root@" + call.clipboard.require("fqdn"), "-f", file});
    call.progress("key pair made");
  }
  // Derived from the private half, so that a stale or missing .pub cannot be what we publish.
  return key_at(host.run({"ssh-keygen", "-y", "-P", "", "-f", file}), key);
}

// The host key that stands in the host's user data, by this deployment or, where they could not be changed, by an
// earlier one.
std::optional<PublicKey> handed_over_key(const Call& call) {
  if (const auto line = call.clipboard.scalar("ssh_user_data_key")) return key_at(*line, "ssh_user_data_key");
  if (const auto key = call.clipboard.scalar("ssh_host_private_key")) return public_half(*key);
  call.log("jarvis handed over no host key: nothing to replace");
  return std::nullopt;
}

bool same(const PublicKey& a, const PublicKey& b) {
  return a.type == b.type && a.blob == b.blob;
}

}  // namespace

void ssh_wait(Call& call) {
  try {
    log_in_and_ask(call);
  } catch (const Error& e) {
    if (e.kind() != Kind::Transient) throw;
    call.progress(e.what());
    not_yet(e.what(), 1s);
  }
}

void ssh_fingerprints(Call& call) {
  const std::string fqdn = call.clipboard.require("fqdn");
  const SshTarget target = target_of(call.clipboard);
  const auto session = open_ssh_session(target);
  call.log(session->place() + " shows " + session->host_key().type + ' ' + session->host_key().fingerprint() +
           ", as expected");

  std::string names = known_hosts_name(fqdn, target.port);
  for (const std::string& address : target.addresses) {
    names += ',';
    names += known_hosts_name(address, target.port);
  }
  std::vector<std::string> sshfp;
  std::vector<std::string> lines;
  for (PublicKey key : target.host_keys) {
    for (std::string& one : sshfp_of(key)) sshfp.push_back(std::move(one));
    key.comment.clear();
    lines.push_back(names + ' ' + key.line());
  }
  call.clipboard.set_list("sshfp", sshfp);
  call.clipboard.set_list("known_hosts", lines);
}

void ssh_run_first_boot(Call& call) {
  const std::string hostname = call.clipboard.require("hostname");
  const std::string fqdn = call.clipboard.require("fqdn");
  const std::string password = call.clipboard.require("password");
  std::vector<PublicKey> keys = {key_at(call.clipboard.require("ssh_login_pubkey"), "ssh_login_pubkey")};
  if (const auto person = call.clipboard.scalar("sshpubkey")) keys.push_back(key_at(*person, "sshpubkey"));

  const auto session = logged_in(call.clipboard);
  RemoteHost host(*session, call);
  set_host_name(host, hostname);
  add_hosts_line(host, hostname, fqdn);
  set_root_password(host, password);
  authorize_keys(host, keys);
}

void ssh_mount(Call& call) {
  const std::vector<Mount> mounts = mounts_of(call.clipboard);
  if (call.plan) {
    for (const Mount& one : mounts) {
      if (!known_as_mounted(call.clipboard, one)) call.change("mount " + one.name + " on " + one.path);
    }
    return;
  }
  if (mounts.empty()) {
    set_mounted(call.clipboard, {});
    return call.log("the spec has no data disk or volume to mount");
  }
  std::vector<std::vector<std::string>> devices;
  devices.reserve(mounts.size());
  for (const Mount& one : mounts) devices.push_back(devices_of(call.clipboard, one.name));
  const auto session = logged_in(call.clipboard);
  RemoteHost host(*session, call);
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    mount_disk(host, mounts[i], devices[i]);
    call.progress(std::to_string(i + 1) + " of " + std::to_string(mounts.size()) + " mounted");
  }
  set_mounted(call.clipboard, mounts);
}

void ssh_make_keypair(Call& call) {
  const std::string fqdn = call.clipboard.require("fqdn");
  const auto session = logged_in(call.clipboard);
  RemoteHost host(*session, call);
  const std::string public_file = std::string(kKeyFile) + ".pub";
  PublicKey key = key_pair_on_host(host, call, kKeyFile, "remote_ssh_pubkey");
  if (key.type != "ssh-ed25519")
    throw Error(Kind::Permanent,
                session->place() + ": " + kKeyFile + " is a key of type " + key.type + ", not ssh-ed25519");
  if (key.comment.empty()) key.comment = "root@" + fqdn;
  if (host.read_file(public_file) != key.line() + "\n") host.write_file(public_file, key.line() + "\n", "644");
  call.clipboard.set("remote_ssh_pubkey", key.line());
}

void ssh_save_secret(Call& call) {
  const std::string fqdn = call.clipboard.require("fqdn");
  const std::string password = call.clipboard.require("password");
  const std::string change = std::string("write ") + kLdapSecret + " of " + fqdn;
  std::unique_ptr<SshSession> session;
  try {
    session = logged_in(call.clipboard);
  } catch (const Error& e) {
    // Before a redeploy the host may be off, or another one: no reason not to plan.
    if (!call.plan || e.kind() == Kind::Usage) throw;
    call.log(e.what());
    return call.change(change);
  }
  RemoteHost host(*session, call);
  const std::string state = host.try_run({"stat", "-c", "%u %a %F", kLdapSecret}).output;
  if (state == "0 400 regular file\n" && host.read_file(kLdapSecret) == password + "\n")
    return call.log(std::string(kLdapSecret) + " holds it already");
  if (call.plan) return call.change(change);
  host.replace_file(kLdapSecret, password + "\n", "0400");
  if (host.read_file(kLdapSecret) != password + "\n")
    throw Error(Kind::Permanent, session->place() + ": " + kLdapSecret + " does not hold what was written");
  call.progress(std::string(kLdapSecret) + " written");
}

void ssh_make_host_keys(Call& call) {
  if (!handed_over_key(call)) return;
  const auto session = logged_in(call.clipboard);
  RemoteHost host(*session, call);
  PublicKey made = key_pair_on_host(host, call, kNewHostKeyFile, "ssh_host_keys");
  made.comment = "root@" + call.clipboard.require("fqdn");
  std::vector<std::string> lines = {made.line()};
  for (const std::string& line : call.clipboard.list("ssh_host_keys")) {
    if (!same(check_public_key(line), made)) lines.push_back(line);
  }
  call.clipboard.set_list("ssh_host_keys", lines);
}

void ssh_own_keys(Call& call) {
  const auto handed_over = handed_over_key(call);
  if (!handed_over) return;
  std::vector<std::string> own;
  for (const std::string& line : call.clipboard.list("ssh_host_keys")) {
    if (!same(key_at(line, "ssh_host_keys"), *handed_over)) own.push_back(line);
  }
  if (own.empty())
    throw Error(Kind::Usage, "ssh_host_keys: none but the one that jarvis handed over; ssh:make_host_keys first");
  {
    const auto session = logged_in(call.clipboard);
    if (same(session->host_key(), *handed_over)) {
      RemoteHost host(*session, call);
      host.run({"sh", "-c", kReplaceKey, "replace", kNewHostKeyFile, kHostKeyFile});
      host.run({"sh", "-c", kReloadSshd, "reload", "sshd"});
    }
  }
  const auto again = [&] {
    try {
      return logged_in(call.clipboard);
    } catch (const Error& e) {
      if (e.kind() == Kind::Transient) not_yet(e.what(), 1s);  // it is still reading its keys
      throw;
    }
  }();
  if (same(again->host_key(), *handed_over)) not_yet(again->place() + " does not answer with its own key yet", 1s);
  call.log(again->place() + " answers with its own key, " + again->host_key().fingerprint());
  call.clipboard.set_list("ssh_host_keys", own);
  call.clipboard.erase("ssh_host_private_key");
  call.clipboard.erase("ssh_user_data_key");
}

}  // namespace jarvis::workers
