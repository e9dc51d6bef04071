#include "bot/listed.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <map>

#include "bot/config_values.h"
#include "bot/links/wire.h"
#include "pipeline/error.h"
#include "pipeline/yaml_events.h"

namespace jarvis::bot {

using pipeline::Error;
using pipeline::Kind;
using pipeline::YamlReader;

namespace {

using Item = std::map<std::string, std::string>;  // what is null, or no single value, is left out

constexpr std::size_t kLongest = 300;  // of one value

bool opens(const yaml_event_t& event) {
  return event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
}

bool closes(const yaml_event_t& event) {
  return event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
}

// The rest of a node whose first event has been read.
void pass_over(YamlReader& reader, bool is_collection) {
  for (int depth = is_collection ? 1 : 0; depth > 0;) {
    const yaml_event_t& event = reader.next();
    depth += opens(event) ? 1 : closes(event) ? -1 : 0;
  }
}

std::string clean(std::string_view text) {
  std::string made = links::clean_text(text);
  if (made.size() <= kLongest) return made;
  std::size_t cut = kLongest;
  while (cut > 0 && (static_cast<unsigned char>(made[cut]) & 0xC0U) == 0x80U) --cut;
  return made.substr(0, cut) + "...";
}

bool is_null(const yaml_event_t& event) {
  const std::string_view text = pipeline::scalar_text(event);
  return event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (text.empty() || text == "~" || text == "null");
}

Item read_item(YamlReader& reader) {
  Item item;
  for (;;) {
    const yaml_event_t& key = reader.next();
    if (closes(key)) return item;
    const bool named = key.type == YAML_SCALAR_EVENT;
    const std::string name(named ? pipeline::scalar_text(key) : "");
    if (!named) pass_over(reader, opens(key));
    const yaml_event_t& value = reader.next();
    if (value.type == YAML_SCALAR_EVENT && named && !is_null(value)) item[name] = clean(pipeline::scalar_text(value));
    pass_over(reader, opens(value));
  }
}

std::vector<Item> read_list(const std::string& text, const std::string& key) {
  YamlReader reader(text);
  while (reader.next().type != YAML_MAPPING_START_EVENT) {  // the clipboard is one mapping
  }
  for (;;) {
    const yaml_event_t& name = reader.next();
    if (closes(name)) throw Error(Kind::Usage, "`" + key + "` is not on the clipboard that it left");
    const bool wanted = name.type == YAML_SCALAR_EVENT && pipeline::scalar_text(name) == key;
    pass_over(reader, opens(name));
    const yaml_event_t& value = reader.next();
    if (!wanted) {
      pass_over(reader, opens(value));
      continue;
    }
    if (value.type != YAML_SEQUENCE_START_EVENT) throw Error(Kind::Usage, key + ": is no list");
    std::vector<Item> items;
    for (;;) {
      const yaml_event_t& item = reader.next();
      if (item.type == YAML_SEQUENCE_END_EVENT) return items;
      if (item.type != YAML_MAPPING_START_EVENT)
        throw Error(Kind::Usage, key + ": item " + std::to_string(items.size() + 1) + " is no mapping");
      items.push_back(read_item(reader));
    }
  }
}

std::string taken(const Item& item, const char* key) {
  const auto found = item.find(key);
  return found != item.end() ? found->second : std::string();
}

std::string required(const Item& item, const std::string& list, std::size_t number, const char* key) {
  std::string text = taken(item, key);
  if (text.empty()) throw Error(Kind::Usage, list + ": item " + std::to_string(number) + " has no `" + key + "`");
  return text;
}

std::optional<double> amount(const Item& item, const std::string& list, std::size_t number) {
  const std::string text = taken(item, "monthly");
  if (text.empty()) return std::nullopt;
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || !(value >= 0) || value > 1e9)
    throw Error(Kind::Usage,
                list + ": item " + std::to_string(number) + ": monthly: `" + text + "` is no amount of money");
  return value;
}

bool holds(const std::string& text, const std::string& word) {
  return lower_case(text).find(word) != std::string::npos;
}

}  // namespace

std::vector<Thing> read_machines(const std::string& provider, const std::string& clipboard) {
  std::vector<Thing> made;
  for (const Item& item : read_list(clipboard, "machines")) {
    const std::size_t number = made.size() + 1;
    const auto take = [&](const char* key) { return taken(item, key); };
    Thing thing;
    thing.provider = provider;
    thing.kind = take("kind").empty() ? "machine" : take("kind");
    thing.id = required(item, "machines", number, "id");
    thing.host = lower_case(required(item, "machines", number, "fqdn"));
    thing.name = take("name");
    thing.run = take("run");
    thing.step = take("step");
    thing.created = time_from(take("created"));
    thing.shown = take("shown");
    thing.machine = take("machine");
    thing.monthly = amount(item, "machines", number);
    thing.currency = take("currency").empty() ? "USD" : take("currency");
    made.push_back(std::move(thing));
  }
  return made;
}

std::vector<Offered> read_offers(const std::string& clipboard) {
  std::vector<Offered> made;
  for (const Item& item : read_list(clipboard, "offers")) {
    const std::size_t number = made.size() + 1;
    const std::string currency = taken(item, "currency");
    made.push_back({required(item, "offers", number, "kind"), required(item, "offers", number, "id"),
                    taken(item, "label"), taken(item, "shown"), amount(item, "offers", number),
                    currency.empty() ? "USD" : currency});
  }
  return made;
}

bool fits_words(const Offered& offered, const std::vector<std::string>& words) {
  return std::all_of(words.begin(), words.end(), [&](const std::string& given) {
    const std::string word = lower_case(given);
    return word == lower_case(offered.kind) + "s" || holds(offered.kind, word) || holds(offered.id, word) ||
           holds(offered.label, word) || holds(offered.shown, word);
  });
}

std::optional<pipeline::Time> time_from(const std::string& text) {
  std::tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  if (*rest == '.') {
    do ++rest;
    while (*rest >= '0' && *rest <= '9');
  }
  long offset = 0;
  if (*rest == '+' || *rest == '-') {
    int hours = 0, minutes = 0, length = 0;
    if (std::sscanf(rest + 1, "%2d:%2d%n", &hours, &minutes, &length) != 2 || length != 5) return std::nullopt;
    offset = (*rest == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
    rest += 6;
  } else if (*rest == 'Z' || *rest == 'z') {
    ++rest;
  }
  if (*rest != '\0') return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts) - offset);
}

void Sum::add(const std::optional<double>& monthly, const std::string& currency) {
  if (!monthly) return;
  const auto found =
      std::find_if(amounts_.begin(), amounts_.end(), [&](const auto& one) { return one.first == currency; });
  if (found == amounts_.end())
    amounts_.emplace_back(currency, *monthly);
  else
    found->second += *monthly;
}

std::string Sum::text() const {
  std::string made;
  for (const auto& [currency, amount] : amounts_) {
    char text[48];
    std::snprintf(text, sizeof text, "%.2f", amount);
    made += (made.empty() ? "" : " + ") + std::string(text) + (currency.empty() ? "" : " " + currency);
  }
  return made;
}

}  // namespace jarvis::bot
