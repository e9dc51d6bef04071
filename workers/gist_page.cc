#include "workers/gist_page.h"

#include <algorithm>
#include <cctype>

#include "pipeline/error.h"
#include "workers/printable.h"

namespace jarvis::workers {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::size_t kShortestHexId = 20;
constexpr std::size_t kHash = 40;
constexpr std::size_t kMostNamed = 10;

bool all_of(std::string_view text, int (*is)(int)) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is(static_cast<unsigned char>(c)) != 0; });
}

bool is_id(std::string_view text) {
  if (all_of(text, std::isdigit)) return true;
  return text.size() >= kShortestHexId && text.size() <= kHash && all_of(text, std::isxdigit);
}

bool is_hash(std::string_view text) {
  return text.size() == kHash && all_of(text, std::isxdigit);
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> made;
  while (path.size() > 1) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    made.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return made;
}

// The characters that percent-encoding leaves and HTML does not.
std::string unescaped(std::string text) {
  struct Entity {
    const char* escaped;
    const char* plain;
  };
  for (const Entity& entity : {Entity{"&#39;", "'"}, {"&quot;", "\""}, {"&amp;", "&"}}) {
    const std::string_view escaped = entity.escaped;
    for (std::size_t at = text.find(escaped); at != std::string::npos; at = text.find(escaped, at + 1))
      text.replace(at, escaped.size(), entity.plain);
  }
  return text;
}

std::string named(const std::vector<std::string>& files) {
  std::string made;
  for (std::size_t i = 0; i < files.size() && i < kMostNamed; ++i)
    made += (made.empty() ? "" : ", ") + printable(files[i], 60);
  return files.size() > kMostNamed ? made + ", ..." : made;
}

bool is_yaml(const std::string& file) {
  return file.ends_with(".yaml") || file.ends_with(".yml");
}

}  // namespace

std::optional<Gist> gist_of(const Url& url) {
  if (!url.query.empty()) return {};
  const auto parts = segments_of(url.path);
  const bool revision = parts.size() == 3 && is_hash(parts[2]);
  const std::size_t at = parts.size() == 1 ? 0 : 1;
  if (parts.empty() || (parts.size() > 2 && !revision) || !is_id(parts[at])) return {};
  Gist made{url, parts[at], percent_decoded(url.fragment)};
  made.page.fragment.clear();
  while (made.page.path.size() > 1 && made.page.path.back() == '/') made.page.path.pop_back();
  return made;
}

Url raw_url(const Gist& gist, const Url& page, const std::string& name) {
  auto parts = segments_of(page.path);
  std::string revision;
  if (parts.size() == 3 && is_hash(parts[2]) && parts[1] == gist.id) {
    revision = "/" + parts[2];
    parts.pop_back();
  }
  Url made = page;
  made.query.clear();
  made.path.clear();
  for (const std::string& part : parts) made.path += "/" + part;
  made.path += "/raw" + revision + (name.empty() ? "" : "/" + percent_encoded(name));
  return made;
}

std::vector<std::string> files_on_page(std::string_view html, const std::string& id) {
  const std::string before = "/" + id + "/raw/";
  std::vector<std::string> files;
  for (std::size_t at = html.find(before); at != std::string_view::npos; at = html.find(before, at + 1)) {
    std::string_view link = html.substr(at + before.size());
    link = link.substr(0, link.find_first_of("\"'<> \n"));
    if (link.size() < kHash + 2 || !is_hash(link.substr(0, kHash)) || link[kHash] != '/') continue;
    std::string name = percent_decoded(unescaped(std::string(link.substr(kHash + 1))));
    if (name.empty() || name.find('/') != std::string::npos || !is_text(name)) continue;
    if (std::find(files.begin(), files.end(), name) == files.end()) files.push_back(std::move(name));
  }
  return files;
}

std::string anchor_of(std::string_view file) {
  std::string made = "file-";
  for (const char c : file) {
    const auto byte = static_cast<unsigned char>(c);
    const bool kept = std::isalnum(byte) != 0 || c == '_' || byte >= 0x80;
    if (kept) made += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
    if (!kept && made.back() != '-') made += '-';
  }
  while (made.back() == '-') made.pop_back();
  return made;
}

std::string file_meant(const Gist& gist, const std::vector<std::string>& files) {
  std::vector<std::string> meant;
  if (!gist.wanted.empty()) {
    for (const std::string& file : files) {
      if (file == gist.wanted) return file;
      if (anchor_of(file) == gist.wanted) meant.push_back(file);
    }
    if (meant.size() == 1) return meant.front();
    throw Error(Kind::Permanent, gist.page.shown() + " has no file `" + printable(gist.wanted, 80) + "`; there " +
                                     (files.size() == 1 ? "is " : "are ") + named(files));
  }
  if (files.size() == 1) return files.front();
  std::copy_if(files.begin(), files.end(), std::back_inserter(meant), is_yaml);
  if (meant.size() == 1) return meant.front();
  throw Error(Kind::Permanent, gist.page.shown() + " has " + std::to_string(files.size()) + " files and " +
                                   (meant.empty() ? "none of them is .yaml" : "several of them are .yaml") +
                                   "; say which one as URL#NAME: " + named(meant.empty() ? files : meant));
}

}  // namespace jarvis::workers
