// What `jarvis check` finds out about links.
#include "bot/check_links.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/bot/scratch_directory.h"

using namespace jarvis::bot;

TEST_CASE("check links: programs and files, one line each") {
  const ScratchDirectory scratch;
  scratch.write("jarvis-irc", "x", 0755);
  scratch.write("console", "x", 0755);
  for (const char* secret : {"good.password", "jarvis.key", "deep.key", "room.password"}) scratch.write(secret, "planted\n");
  scratch.write("open.password", "planted\n", 0640);
  scratch.write("empty.password", "");
  scratch.write("ca.pem", "x", 0644);
  std::filesystem::create_directory(scratch.path() / "directory.pem");
  const Settings settings = read_settings(scratch.write("jarvis.yaml", R"(
irc:
  - name: freenet
    server: x
    ca_file: ca.pem
    cert_file: nowhere.pem
    key_file: jarvis.key
    password_file: open.password
    sasl: {user: j, password_file: good.password}
    nickserv: {password_file: empty.password}
    channels: ['#ops', {name: '#deep', key_file: deep.key}]
xmpp:
  - name: jabber
    jid: j@x
    ca_file: directory.pem
    password_file: good.password
    rooms: [{room: ops@c.x, password_file: room.password}]
links:
  console: {run: console, secret_file: nowhere}
)"));
  std::string told;
  for (const LinkSettings& link : settings.links) {
    for (const LinkNeed& need : link_needs(link, scratch.path()))
      told += need.what + " -> " + (need.fault.empty() ? "ok" : need.fault) + "\n";
  }
  const std::string prefix = scratch.path().string() + "/";
  for (std::size_t at = told.find(prefix); at != std::string::npos; at = told.find(prefix)) told.erase(at, prefix.size());
  CHECK(told ==
        "link freenet: program jarvis-irc -> ok\n"
        "link freenet: ca_file ca.pem -> ok\n"
        "link freenet: cert_file nowhere.pem -> No such file or directory\n"
        "link freenet: key_file jarvis.key -> ok\n"
        "link freenet: password_file open.password -> holds credentials but is open to other users; chmod 600 it\n"
        "link freenet: sasl password_file good.password -> ok\n"
        "link freenet: nickserv password_file empty.password -> is empty\n"
        "link freenet: #deep key_file deep.key -> ok\n"
        "link jabber: program jarvis-xmpp -> No such file or directory\n"
        "link jabber: ca_file directory.pem -> is no file\n"
        "link jabber: password_file good.password -> ok\n"
        "link jabber: ops@c.x password_file room.password -> ok\n"
        "link console: program console -> ok\n");
}

TEST_CASE("check links: a file of somebody else's") {
  const ScratchDirectory scratch;
  scratch.write("jarvis-xmpp", "x", 0755);
  scratch.write("p", "planted\n", 0000);
  if (::geteuid() == 0) return;  // root reads everything
  const Settings settings =
      read_settings(scratch.write("jarvis.yaml", "xmpp: [{name: a, jid: j@x, password_file: p}]\n"));
  CHECK(link_needs(settings.links[0], scratch.path()).at(1).fault == "Permission denied");
}
