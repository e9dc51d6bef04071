// irc: xmpp: links: who speaks which network, and what that link is told. The link's own configuration is handed to it
// as JSON (docs/links.md); here it is checked, with line numbers, before anything is started.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bot/settings_sections.h"
#include "pipeline/error.h"

namespace jarvis::bot {

namespace {

using nlohmann::json;

constexpr int kMostSeconds = 86'400;

bool valid_link_name(const std::string& name) {
  return !name.empty() && name.size() <= 32 && name != "direct" && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// One link's section, copied key by key into what the link is told.
class LinkReader {
 public:
  LinkReader(const Value& value, Section& section) : value_(value), section_(section) {}

  json& config() { return config_; }

  void text(const char* key, bool needed = false) {
    const auto found = section_.text(key);
    if (found) config_[key] = *found;
    if (!found && needed) value_.refuse(std::string(key) + " is missing");
  }
  void flag(const char* key, bool otherwise) { config_[key] = section_.flag(key).value_or(otherwise); }
  void number(const char* key, std::int64_t least, std::int64_t most) {
    if (const auto found = section_.number(key, least, most)) config_[key] = *found;
  }
  // Whether it is there is the link's to say: a missing file must not keep the other commands from their work.
  void file(const char* key, bool needed = false) {
    const auto found = section_.path(key, Existing::MayBe);
    if (found) config_[key] = found->string();
    if (!found && needed && !section_.has(key)) value_.refuse(std::string(key) + " is missing");
  }

 private:
  const Value& value_;
  Section& section_;
  json config_ = json::object();
};

// A channel or room: its name alone, or a mapping with more.
json places(Section& section, const char* list, const char* name, std::initializer_list<const char*> texts,
            const char* secret) {
  json made = json::array();
  const auto found = section.take(list);
  if (!found) return made;
  for (const Value& item : found->items()) {
    if (item.node().IsScalar()) {
      made.push_back(item.text().value_or(""));
      continue;
    }
    Section place(item);
    LinkReader reader(item, place);
    reader.text(name, true);
    for (const char* key : texts) reader.text(key);
    reader.file(secret);
    place.done();
    made.push_back(reader.config());
  }
  return made;
}

void read_pace(Section& section, LinkReader& reader) {
  constexpr int kMostBurst = 1000;
  const auto pace = section.take("pace");
  if (!pace) return;
  Section inner(*pace);
  LinkReader how(*pace, inner);
  how.number("burst", 1, kMostBurst);
  how.number("per_second", 1, kMostBurst);
  inner.done();
  reader.config()["pace"] = how.config();
}

void add_link(const Value& value, LinkSettings link, Settings& settings) {
  if (!valid_link_name(link.name)) {
    value.refuse("a link needs a `name` of letters, digits, - and _ (not `direct`): people: and replies call it so");
    return;
  }
  for (const LinkSettings& other : settings.links) {
    if (other.name == link.name) value.refuse("there are two links called " + link.name);
  }
  settings.links.push_back(std::move(link));
}

}  // namespace

void read_irc(const Value& value, Settings& settings) {
  for (const Value& item : value.items()) {
    Section section(item);
    LinkReader reader(item, section);
    reader.text("name", true);
    reader.text("server", true);
    reader.flag("tls", true);
    reader.config()["port"] =
        section.number("port", 1, 65'535).value_or(reader.config()["tls"].get<bool>() ? 6697 : 6667);
    for (const char* key : {"nick", "user", "realname", "prefix"}) reader.text(key);
    for (const char* key : {"ca_file", "cert_file", "key_file", "password_file"}) reader.file(key);
    if (const auto sasl = section.take("sasl")) {
      Section inner(*sasl);
      LinkReader how(*sasl, inner);
      const bool external = inner.flag("external").value_or(false);
      if (external) how.config()["external"] = true;
      how.text("user", !external);
      how.file("password_file", !external);
      inner.done();
      reader.config()["sasl"] = how.config();
    }
    read_pace(section, reader);
    if (const auto nickserv = section.take("nickserv")) {
      Section inner(*nickserv);
      LinkReader how(*nickserv, inner);
      how.text("name");
      how.file("password_file", true);
      inner.done();
      reader.config()["nickserv"] = how.config();
    }
    for (const char* key : {"ping_every", "ping_timeout"}) reader.number(key, 1, kMostSeconds);
    reader.config()["channels"] = places(section, "channels", "name", {}, "key_file");
    section.done();
    if (!reader.config().contains("nick")) reader.config()["nick"] = "jarvis";
    LinkSettings link;
    link.name = reader.config().value("name", "");
    link.kind = LinkSettings::Kind::Irc;
    link.prefix = reader.config().value("prefix", "");
    link.config = reader.config().dump();
    add_link(item, std::move(link), settings);
  }
}

void read_xmpp(const Value& value, Settings& settings) {
  for (const Value& item : value.items()) {
    Section section(item);
    LinkReader reader(item, section);
    for (const char* key : {"name", "jid"}) reader.text(key, true);
    for (const char* key : {"server", "nick", "resource", "prefix"}) reader.text(key);
    reader.file("password_file", true);
    reader.file("ca_file");
    reader.number("priority", -128, 127);
    read_pace(section, reader);
    for (const char* key : {"ping_every", "ping_timeout"}) reader.number(key, 1, kMostSeconds);
    reader.config()["rooms"] = places(section, "rooms", "room", {"nick"}, "password_file");
    section.done();
    LinkSettings link;
    link.name = reader.config().value("name", "");
    link.kind = LinkSettings::Kind::Xmpp;
    link.prefix = reader.config().value("prefix", "");
    link.config = reader.config().dump();
    add_link(item, std::move(link), settings);
  }
}

namespace {

// A value of a configuration that is somebody else's, as JSON; what looks like a number or a boolean is one unless it
// was quoted.
json as_json(const YAML::Node& node) {
  if (node.IsSequence()) {
    json made = json::array();
    for (const auto& item : node) made.push_back(as_json(item));
    return made;
  }
  if (node.IsMap()) {
    json made = json::object();
    for (const auto& entry : node) made[entry.first.Scalar()] = as_json(entry.second);
    return made;
  }
  if (!node.IsScalar()) return nullptr;
  if (node.Tag() == "!") return node.Scalar();
  const json plain = json::parse(node.Scalar(), nullptr, false);
  return plain.is_number() || plain.is_boolean() ? plain : json(node.Scalar());
}

}  // namespace

void read_links(const Value& value, Settings& settings) {
  for (const Value& item : Section(value).take_all()) {
    Section section(item);
    LinkSettings link;
    link.name = item.key();
    link.kind = LinkSettings::Kind::Other;
    const auto run = section.path("run", Existing::MayBe);
    if (!run && !section.has("run")) item.refuse("run is missing: the program that speaks this network");
    link.run = run.value_or("");
    json config = json::object();
    config["name"] = link.name;
    for (const Value& other : section.take_all()) {
      if (other.key() != "run") config[other.key()] = as_json(other.node());
    }
    link.prefix = config.contains("prefix") && config["prefix"].is_string() ? config["prefix"].get<std::string>() : "";
    link.config = config.dump();
    add_link(item, std::move(link), settings);
  }
}

// Whom the xmpp links accept subscriptions from is known only when people are read.
void finish_links(Settings& settings) {
  for (LinkSettings& link : settings.links) {
    if (link.kind != LinkSettings::Kind::Xmpp) continue;
    json config = json::parse(link.config);
    config["people"] = json::array();
    for (const Person& person : settings.people) {
      const auto known = person.identities.find(link.name);
      if (known == person.identities.end()) continue;
      for (const std::string& jid : known->second) config["people"].push_back(jid);
    }
    link.config = config.dump();
  }
}

}  // namespace jarvis::bot
