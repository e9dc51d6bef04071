#include "pipeline/spec.h"

#include <algorithm>
#include <cctype>

#include "pipeline/error.h"
#include "pipeline/yaml_events.h"

namespace jarvis::pipeline {

namespace {

constexpr std::size_t kShortestSecret = 6;  // blanking a shorter one would blank everything

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return made;
}

struct Place {
  std::string key;
  std::string where;  // "line L, column C"
};

// The mapping under top-level `key` as a clipboard of its own, with the places where its keys stood.
Clipboard unwrap(const std::string& text, std::string_view key, std::vector<Place>& places) {
  YamlReader reader(text);
  YamlWriter writer;
  int depth = 0;
  bool key_next = true, inside = false, inner_key_next = true;
  for (;;) {
    const yaml_event_t& event = reader.next();
    if (event.type == YAML_STREAM_END_EVENT) break;
    const bool end = event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
    const bool start = event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
    if (end) --depth;
    if (inside && depth >= 1) {
      if (depth == 2 && !end) {
        if (inner_key_next && event.type == YAML_SCALAR_EVENT)
          places.push_back({std::string(scalar_text(event)), place(event.start_mark)});
        inner_key_next = !inner_key_next;
      }
      yaml_event_t copy = event;
      if (depth == 1 && start) copy.data.mapping_start.style = YAML_BLOCK_MAPPING_STYLE;
      writer.copy(copy);
      if (depth == 1 && end) break;
    } else if (depth == 1 && !end) {
      inside = key_next && event.type == YAML_SCALAR_EVENT && scalar_text(event) == key;
      key_next = !key_next;
    }
    if (start) ++depth;
  }
  return Clipboard::parse(writer.finish());
}

// What a person wrote is shown back on one line, however he wrote it, and not at any length.
std::string one_line(std::string text) {
  constexpr std::size_t kLongest = 600;
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (text.size() <= kLongest) return text;
  std::size_t cut = kLongest;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
  return text.substr(0, cut) + "...";
}

// Everything found wrong, in the order of the text.
class Faults {
 public:
  explicit Faults(std::vector<Place> places) : places_(std::move(places)) {}
  void add(const std::string& key, const std::string& text) {
    const auto found = std::find_if(places_.begin(), places_.end(), [&](const Place& one) { return one.key == key; });
    lines_.push_back(one_line((found == places_.end() ? "" : found->where + ": ") + key + ": " + text));
  }
  void raise() const {
    if (lines_.empty()) return;
    std::string text;
    for (const std::string& line : lines_) text += (text.empty() ? "" : "\n") + line;
    throw Error(Kind::Usage, text);
  }

 private:
  std::vector<Place> places_;
  std::vector<std::string> lines_;
};

Clipboard instance_of(const std::string& text, std::vector<Place>& places) {
  const Clipboard whole = Clipboard::parse(text);
  const auto place_of = [&](const std::string& key) {
    const auto [line, column] = whole.where(key);
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
  };
  if (whole.has("site"))
    throw Error(
        Kind::Usage,
        place_of("site") +
            ": site: several hosts in one spec are not deployed by this version; give one `instance:` per spec");
  if (!whole.has("instance")) {
    for (const std::string& key : whole.keys()) places.push_back({key, place_of(key)});
    return whole.block_style();
  }
  if (whole.null("instance")) {  // its keys follow unindented
    Clipboard rest = whole;
    for (const std::string& key : whole.keys()) places.push_back({key, place_of(key)});
    rest.erase("instance");
    return rest.block_style();
  }
  if (!whole.mapping("instance"))
    throw Error(Kind::Usage, place_of("instance") + ": instance: a mapping of the host's keys is expected");
  for (const std::string& key : whole.keys()) {
    if (key != "instance")
      throw Error(Kind::Usage,
                  place_of(key) + ": " + key + ": stands beside `instance:`; the host's keys stand under it");
  }
  return unwrap(text, "instance", places);
}

void check_identity(Clipboard& board, const SpecRules& rules, Faults& faults) {
  const auto hostname = board.scalar("hostname");
  for (const char* key : {"hostname", "fqdn"}) {
    if (board.has(key) && !board.scalar(key) && !board.null(key)) faults.add(key, "a host name is expected");
  }
  auto fqdn = board.scalar("fqdn");
  if (hostname && !valid_host_name(*hostname))
    faults.add("hostname", "`" + *hostname + "` is no host name (letters, digits, hyphens; RFC 1123)");
  if (!fqdn && hostname && valid_host_name(*hostname)) {
    if (hostname->find('.') != std::string::npos) {
      fqdn = *hostname;
    } else if (!rules.domain.empty()) {
      fqdn = *hostname + "." + rules.domain;
    }
    if (fqdn) board.set("fqdn", lower(*fqdn));
  }
  if (!fqdn) {
    faults.add("fqdn", hostname ? "missing, and the configuration has no `domain:` to complete `" + *hostname + "`"
                                : "missing; give the host's full name, as in fqdn: loki.example.org");
    return;
  }
  if (!valid_fqdn(*fqdn)) {
    faults.add("fqdn",
               "`" + *fqdn + "` is no full host name (labels of letters, digits, hyphens, joined by dots; RFC 1123)");
    return;
  }
  if (*fqdn != lower(*fqdn)) board.set("fqdn", lower(*fqdn));
  if (!hostname && !board.has("hostname")) board.set("hostname", lower(*fqdn).substr(0, fqdn->find('.')));
}

void check_keys(const Clipboard& board, const SpecRules& rules, Faults& faults) {
  for (const std::string& key : board.keys()) {
    if (rules.table == nullptr) break;
    const auto giver = rules.table->giver_only(key);
    if (giver) {
      faults.add(key, "not accepted in a spec, " + *giver + " gives it");
    } else if (rules.table->is_secret(key)) {
      const auto value = board.scalar(key);
      if (value && value->size() < kShortestSecret)
        faults.add(key, "a secret of fewer than 6 bytes; blanking it in logs would blank everything");
    }
  }
  for (const std::string& key : {std::string("sshpubkey")}) {
    if (!board.has(key)) continue;
    const auto value = board.scalar(key);
    const auto fault = value ? public_key_fault(*value) : std::optional<std::string>("one public key line is expected");
    if (fault) faults.add(key, *fault);
  }
  if (const auto size = board.scalar("size"); board.has("size") && !size)
    faults.add("size", "megabytes (512) or a type's own id is expected");
  if (board.has("ssh_port")) {
    const std::string port = board.scalar("ssh_port").value_or("");
    const bool digits = !port.empty() && port.size() <= 5 &&
                        std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || std::stoi(port) < 1 || std::stoi(port) > 65535)
      faults.add("ssh_port", "`" + port + "` is no port (1 to 65535)");
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string made;
  for (const std::string& word : words) made += (made.empty() ? "" : ", ") + word;
  return made;
}

std::string provider_of(const Clipboard& board, const SpecRules& rules, Faults& faults) {
  const auto given = board.scalar("provider");
  if (!given) {
    faults.add("provider", "missing; one of " + joined(rules.providers));
    return {};
  }
  std::string name = lower(*given);
  if (std::find(rules.providers.begin(), rules.providers.end(), name) == rules.providers.end()) {
    const auto near = nearest(name, rules.providers);
    faults.add("provider", "`" + *given + "` is unknown; " + (near ? "did you mean " + *near + "? " : "") +
                               "There are " + joined(rules.providers));
  }
  return name;
}

}  // namespace

bool valid_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  std::size_t label = 0;
  char before = '.';
  for (const char c : name) {
    if (c == '.') {
      if (label == 0 || before == '-') return false;
      label = 0;
    } else {
      if (!std::isalnum(static_cast<unsigned char>(c)) && !(c == '-' && label > 0)) return false;
      if (++label > 63) return false;
    }
    before = c;
  }
  return label > 0 && before != '-';
}

bool valid_fqdn(std::string_view name) {
  return valid_host_name(name) && name.find('.') != std::string_view::npos;
}

std::optional<std::string> public_key_fault(std::string_view line) {
  if (line.find('\n') != std::string_view::npos) return "several lines; one public key line is expected";
  const std::size_t space = line.find(' ');
  const std::string type(line.substr(0, space));
  if (type == "ssh-dss") return "ssh-dss (DSA) keys are not accepted by OpenSSH since 7.0; give an ssh-ed25519 key";
  static const std::vector<std::string> kTypes = {"ssh-ed25519",
                                                  "ecdsa-sha2-nistp256",
                                                  "ecdsa-sha2-nistp384",
                                                  "ecdsa-sha2-nistp521",
                                                  "ssh-rsa",
                                                  "sk-ssh-ed25519@openssh.com",
                                                  "sk-ecdsa-sha2-nistp256@openssh.com"};
  if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end())
    return "`" + type.substr(0, 40) + "` is no type of public key; ssh-ed25519 is expected";
  if (space == std::string_view::npos) return "the key itself is missing after " + type;
  std::string_view key = line.substr(space + 1);
  key = key.substr(0, key.find(' '));
  const bool base64 = std::all_of(key.begin(), key.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '/' || c == '=';
  });
  // The blob begins with the length of the type and the type, which base64 shows as AAAA.
  if (!base64 || key.size() < 40 || !key.starts_with("AAAA"))
    return "the text after " + type + " is not a key (base64 beginning with AAAA)";
  return std::nullopt;
}

Spec read_spec(const std::string& text, const SpecRules& rules) {
  std::vector<Place> places;
  Clipboard board = instance_of(text, places);
  Faults faults(std::move(places));
  check_identity(board, rules, faults);
  const std::string provider = provider_of(board, rules, faults);
  check_keys(board, rules, faults);
  faults.raise();
  std::string fqdn = board.require("fqdn");
  return {std::move(board), std::move(fqdn), provider};
}

}  // namespace jarvis::pipeline
