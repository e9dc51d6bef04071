#include <algorithm>

#include "bot/config_values.h"
#include "bot/settings_sections.h"
#include "pipeline/yaml_quote.h"

namespace jarvis::bot {

namespace {

enum class Form {
  Text,
  Url,
  LoopbackRange,
  Directory,  // made when needed
  CaFile,     // its path is granted
  Secret,     // KEY_file: its content is granted, as KEY
  Images,     // NAME: {owner, name}; granted as one YAML flow mapping
  List,       // of texts; granted as a YAML flow list
  Whence,     // of credentials: `instance`, the role of the machine that jarvis runs on
  Metadata,   // a URL; http:// also to the address where clouds tell a machine about itself
  Rate,       // calls a second, a number above 0
  Poll,       // a duration, granted in milliseconds: how soon an API that is at work is asked again
};

struct ProviderKey {
  const char* provider;
  const char* key;
  Form form;
};

// The documented keys (docs/configuration.md). A new provider is a few lines here.
constexpr ProviderKey kProviderKeys[] = {
    {"local", "addresses", Form::LoopbackRange},
    {"local", "dir", Form::Directory},
    {"linode", "api", Form::Url},
    {"linode", "token_file", Form::Secret},
    {"linode", "ca_file", Form::CaFile},
    {"linode", "rate", Form::Rate},
    {"linode", "poll", Form::Poll},
    {"ec2", "region", Form::Text},
    {"ec2", "regions", Form::List},
    {"ec2", "endpoint", Form::Url},
    {"ec2", "access_key_id", Form::Text},
    {"ec2", "secret_key_file", Form::Secret},
    {"ec2", "session_token_file", Form::Secret},
    {"ec2", "credentials", Form::Whence},
    {"ec2", "metadata", Form::Metadata},
    {"ec2", "images", Form::Images},
    {"ec2", "subnet", Form::Text},
    {"ec2", "security_groups", Form::List},
    {"ec2", "ca_file", Form::CaFile},
    {"ec2", "rate", Form::Rate},
    {"ec2", "poll", Form::Poll},
    {"vmware", "url", Form::Url},
    {"vmware", "user", Form::Text},
    {"vmware", "password_file", Form::Secret},
    {"vmware", "datacenter", Form::Text},
    {"vmware", "ca_file", Form::CaFile},
    {"vmware", "rate", Form::Rate},
    {"vmware", "poll", Form::Poll},
};

std::string upper_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

std::string images_as_flow(const Value& value) {
  std::string flow;
  for (const Value& image : Section(value).take_all()) {
    Section section(image);
    std::string fields;
    for (const char* key : {"owner", "name"}) {
      const auto text = section.text(key);
      if (!text && !section.has(key)) image.refuse(std::string(key) + " is missing");
      if (text) fields += (fields.empty() ? "" : ", ") + std::string(key) + ": " + pipeline::quoted(*text);
    }
    section.done();
    flow += (flow.empty() ? "" : ", ") + pipeline::quoted(image.key()) + ": {" + fields + "}";
  }
  return "{" + flow + "}";
}

std::string list_as_flow(const Value& value) {
  std::string flow;
  for (const std::string& text : value.texts()) flow += (flow.empty() ? "" : ", ") + pipeline::quoted(text);
  return "[" + flow + "]";
}

std::optional<std::string> wrong_with_metadata_url(std::string_view url) {
  if (url == "http://169.254.169.254" || url == "http://169.254.169.254/") return {};
  return wrong_with_url(url);
}

std::optional<std::string> wrong_with_whence(std::string_view text) {
  if (text == "instance") return {};
  return "is `instance`, the role of this machine, or left out";
}

std::optional<std::string> checked(const Value& value, std::optional<std::string> (*wrong_with)(std::string_view)) {
  auto text = value.text();
  const auto wrong = text ? wrong_with(*text) : std::nullopt;
  if (wrong) value.refuse(*wrong);
  return text;
}

std::optional<std::string> granted(const Value& value, Form form) {
  const auto as_text = [](const std::optional<std::filesystem::path>& path) {
    return path ? std::optional(path->string()) : std::nullopt;
  };
  switch (form) {
    case Form::Text:
      return value.text();
    case Form::Url:
      return checked(value, wrong_with_url);
    case Form::LoopbackRange:
      return checked(value, wrong_with_loopback_range);
    case Form::Directory:
      return as_text(value.path(Existing::MayBe));
    case Form::CaFile:
    case Form::Secret:
      return as_text(value.path(Existing::MustBe));
    case Form::Images:
      return images_as_flow(value);
    case Form::List:
      return list_as_flow(value);
    case Form::Whence:
      return checked(value, wrong_with_whence);
    case Form::Metadata:
      return checked(value, wrong_with_metadata_url);
    case Form::Rate: {
      const auto number = value.number(1, 1000);
      return number ? std::optional(std::to_string(*number)) : std::nullopt;
    }
    case Form::Poll: {
      const auto time = value.duration();
      return time ? std::optional(std::to_string(time->count())) : std::nullopt;
    }
  }
  return {};
}

void read_provider(const Value& value, const std::string& provider, Settings& settings) {
  constexpr std::string_view kFileSuffix = "_file";
  Section section(value);
  auto& grants = settings.modules[provider];
  for (const ProviderKey& known : kProviderKeys) {
    if (known.provider != provider) continue;
    const auto found = section.take(known.key);
    const auto text = found ? granted(*found, known.form) : std::nullopt;
    if (!text) continue;
    std::string name = known.key;
    if (known.form == Form::Secret) name.resize(name.size() - kFileSuffix.size());
    grants.push_back({upper_case(name), *text, known.form == Form::Secret});
  }
  section.done();
  const auto has = [&](const char* name) {
    return std::any_of(grants.begin(), grants.end(), [&](const ModuleSetting& one) { return one.name == name; });
  };
  if (has("CREDENTIALS") && has("ACCESS_KEY_ID"))
    value.refuse("has both `credentials` and `access_key_id`; one of them says who jarvis is");
}

}  // namespace

void read_providers(const Value& value, Settings& settings) {
  Section section(value);
  std::string_view before;
  for (const ProviderKey& known : kProviderKeys) {  // grouped by provider
    if (known.provider == before) continue;
    before = known.provider;
    if (const auto provider = section.take(known.provider)) read_provider(*provider, known.provider, settings);
  }
  section.done();
}

void read_monitoring(const Value& value, Settings& settings) {
  Section section(value);
  auto& grants = settings.modules["monitoring"];
  for (const char* key : {"silence", "unsilence"}) {
    const auto written = section.take(key);
    const auto path = written ? written->path(Existing::MustBe) : std::nullopt;
    if (!path) continue;
    std::error_code hidden;
    const auto found = std::filesystem::status(*path, hidden);
    using std::filesystem::perms;
    const perms run_bits = perms::owner_exec | perms::group_exec | perms::others_exec;
    if (!hidden &&
        (found.type() != std::filesystem::file_type::regular || (found.permissions() & run_bits) == perms::none)) {
      written->refuse(path->string() + " is no program: it must be a file with its run bit set");
    }
    grants.push_back({upper_case(key), path->string()});
  }
  section.done();
}

}  // namespace jarvis::bot
