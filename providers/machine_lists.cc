#include "providers/machine_lists.h"

#include <nlohmann/json.hpp>

namespace jarvis::providers {

namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& number) {
  return number ? Json(*number) : Json();
}

// What a provider says need not be UTF-8; a list that cannot be shown helps nobody.
std::string text_of(const Json& list) {
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string json_of(const std::vector<Owned>& owned) {
  Json list = Json::array();
  for (const Owned& one : owned) {
    list.push_back({{"kind", one.kind},
                    {"id", one.id},
                    {"name", one.name},
                    {"fqdn", one.marks.fqdn},
                    {"run", one.marks.run},
                    {"step", one.marks.step},
                    {"created", one.created},
                    {"shown", one.shown},
                    {"machine", one.machine.empty() ? Json() : Json(one.machine)},
                    {"monthly", or_null(one.monthly)},
                    {"currency", one.currency}});
  }
  return text_of(list);
}

std::string json_of(const std::vector<Offer>& offers) {
  Json list = Json::array();
  for (const Offer& one : offers) {
    list.push_back({{"kind", one.kind},
                    {"id", one.id},
                    {"label", one.label},
                    {"shown", one.shown},
                    {"monthly", or_null(one.monthly)},
                    {"currency", one.currency}});
  }
  return text_of(list);
}

}  // namespace jarvis::providers
