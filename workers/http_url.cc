#include "workers/http_url.h"

#include <curl/curl.h>

#include <cctype>
#include <memory>

#include "pipeline/error.h"
#include "workers/ascii.h"
#include "workers/printable.h"

namespace jarvis::workers {

using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr std::size_t kLongest = 2000;
constexpr std::size_t kShown = 200;

struct Free {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Parsed = std::unique_ptr<CURLU, Free>;

std::string part(const Parsed& url, CURLUPart what) {
  char* text = nullptr;
  if (curl_url_get(url.get(), what, &text, 0) != CURLUE_OK || text == nullptr) return {};
  std::string made = text;
  curl_free(text);
  return made;
}

void set(const Parsed& url, std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F)
      throw Error(Kind::Usage, "the URL holds blanks or control characters");
  }
  if (text.size() > kLongest) throw Error(Kind::Usage, "the URL has more than " + std::to_string(kLongest) + " bytes");
  // Schemes that are not asked are read all the same, so that the refusal can name them.
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (code == CURLUE_OK) return;
  const bool may_hold_password = text.find('@') != std::string_view::npos;
  throw Error(Kind::Usage, (may_hold_password ? std::string("the text") : "`" + printable(text, kShown) + "`") +
                               " is no URL: " + curl_url_strerror(code));
}

Url taken_apart(const Parsed& url) {
  if (!part(url, CURLUPART_USER).empty() || !part(url, CURLUPART_PASSWORD).empty())
    throw Error(Kind::Usage, "the URL holds a user name or password; credentials do not belong there");
  Url made;
  made.scheme = part(url, CURLUPART_SCHEME);
  made.host = part(url, CURLUPART_HOST);
  made.host = lower_case(made.host);
  made.port = part(url, CURLUPART_PORT);
  if ((made.scheme == "https" && made.port == "443") || (made.scheme == "http" && made.port == "80")) made.port.clear();
  made.path = part(url, CURLUPART_PATH);
  made.query = part(url, CURLUPART_QUERY);
  made.fragment = part(url, CURLUPART_FRAGMENT);
  return made;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::string Url::text() const {
  return origin() + path + (query.empty() ? "" : "?" + query);
}

std::string Url::shown() const {
  return printable(origin() + path, kShown);
}

Url parse_url(std::string_view text) {
  const Parsed url(curl_url());
  set(url, text);
  return taken_apart(url);
}

Url resolve_url(const Url& base, std::string_view reference) {
  const Parsed url(curl_url());
  set(url, base.text());
  set(url, reference);
  return taken_apart(url);
}

std::string percent_encoded(std::string_view segment) {
  static const char* const kHex = "0123456789ABCDEF";
  std::string made;
  for (const char c : segment) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      made += c;
    } else {
      made += '%';
      made += kHex[byte >> 4U];
      made += kHex[byte & 15U];
    }
  }
  return made;
}

std::string percent_decoded(std::string_view text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    made += escape ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return made;
}

}  // namespace jarvis::workers
