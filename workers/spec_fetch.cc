#include "workers/spec_fetch.h"

#include <algorithm>
#include <charconv>

#include "workers/allow_list.h"
#include "workers/ascii.h"
#include "workers/gist_page.h"
#include "workers/http.h"
#include "workers/printable.h"

namespace jarvis::workers {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kAllow[] = {"https://gist.github.com/*", "https://gist.githubusercontent.com/*"};
constexpr int kMostRedirects = 5;
constexpr std::size_t kMostPageBytes = 8U << 20U;  // a gist's page shows its text with a good deal of markup around

std::size_t number(const Call& call, const char* name, const char* otherwise) {
  const std::string text = call.setting(name, otherwise);
  std::size_t made = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), made);
  if (error != std::errc() || end != text.data() + text.size() || made == 0)
    throw Error(Kind::Usage, std::string(name) + ": `" + text + "` is no number");
  return made;
}

AllowList allow_list(const Call& call) {
  auto patterns = call.setting_list("FETCH_ALLOW");
  if (patterns.empty()) patterns.assign(std::begin(kAllow), std::end(kAllow));
  return AllowList(patterns);
}

std::vector<AddressRange> ranges_of(const std::vector<std::string>& words) {
  std::vector<AddressRange> made;
  for (const std::string& word : words) {
    const auto range = AddressRange::parse(word);
    if (!range) throw Error(Kind::Usage, "fetch.private: `" + word + "` is no address range");
    made.push_back(*range);
  }
  return made;
}

void check_url(const Url& url, const AllowList& allow) {
  if (url.scheme != "https" && url.scheme != "http")
    throw Error(Kind::Refused, "refused: " + url.shown() + ": only https is fetched, not " + printable(url.scheme, 20));
  if (allow.allows(url)) return;
  throw Error(Kind::Refused, "refused: " + url.shown() +
                                 " is not on the list of what may be fetched (fetch.allow: " + allow.text() + ")");
}

void check_address(const Url& url, const IpAddress& address, const std::vector<AddressRange>& allowed) {
  const auto special = special_purpose(address);
  const std::string where = url.shown() + " leads to " + address.text();
  if (url.scheme == "http" && special.value_or("") != "this machine")
    throw Error(Kind::Refused, "refused: " + where + "; http without TLS is for this machine only");
  const bool listed =
      std::any_of(allowed.begin(), allowed.end(), [&](const AddressRange& range) { return range.contains(address); });
  if (special && !listed)
    throw Error(Kind::Refused, "refused: " + where + ", which is no address of the Internet (" + *special +
                                   ") and not in fetch.private");
}

class Fetcher {
 public:
  explicit Fetcher(const Call& call)
      : allow_(allow_list(call)),
        private_(ranges_of(call.setting_list("FETCH_PRIVATE"))),
        most_bytes_(number(call, "FETCH_MAX_BYTES", "1048576")),
        deadline_(Clock::now() + milliseconds(number(call, "FETCH_TIMEOUT", "20000"))) {
    HttpRules rules;
    rules.ca_file = call.setting("FETCH_CA_FILE", "");
    rules.most_redirects = kMostRedirects;
    rules.check_url = [this](const Url& url) { check_url(url, allow_); };
    rules.check_address = [this](const Url& url, const IpAddress& address) { check_address(url, address, private_); };
    http_ = make_http_client(std::move(rules));
  }

  HttpResponse document(const Url& url) { return get(url, most_bytes_, "text/plain, */*;q=0.5"); }
  HttpResponse page(const Url& url) { return get(url, std::max(most_bytes_, kMostPageBytes), "text/html"); }

 private:
  HttpResponse get(const Url& url, std::size_t most_bytes, const char* accept) {
    HttpRequest request;
    request.url = url.text();
    request.headers = {{"Accept", accept}};
    request.limit = std::chrono::ceil<milliseconds>(deadline_ - Clock::now());
    request.most_bytes = most_bytes;
    HttpResponse response = http_->request(request);
    if (response.status != 200) throw error_of(response);
    return response;
  }

  AllowList allow_;
  std::vector<AddressRange> private_;
  std::size_t most_bytes_;
  Clock::time_point deadline_;
  std::unique_ptr<HttpClient> http_;
};

std::string media_type_of(const HttpResponse& response) {
  std::string type = response.header("content-type").value_or("");
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  return lower_case(type);
}

bool is_html(const HttpResponse& response) {
  const std::string type = media_type_of(response);
  if (type == "text/html" || type == "application/xhtml+xml") return true;
  const std::string begin = lower_case(response.body.substr(0, 1024));
  const std::size_t first = begin.find_first_not_of(" \t\r\n");
  const std::string_view text = std::string_view(begin).substr(first == std::string::npos ? begin.size() : first);
  return text.starts_with("<!doctype") || text.starts_with("<html");
}

// Throws unless it may be a spec: text, and no web page.
const HttpResponse& checked(const HttpResponse& response) {
  const std::string where = response.url.shown();
  if (is_html(response))
    throw Error(Kind::Permanent, where + " is a web page, not a spec; give the URL of the raw text");
  const std::string type = media_type_of(response);
  for (const char* other : {"image/", "audio/", "video/", "font/", "multipart/", "application/zip", "application/gzip",
                            "application/pdf"}) {
    if (type.starts_with(other)) throw Error(Kind::Permanent, where + " is " + printable(type, 60) + ", not text");
  }
  if (!is_text(response.body)) throw Error(Kind::Permanent, where + " is not text (UTF-8 without control characters)");
  if (response.body.find_first_not_of(" \t\r\n") == std::string::npos)
    throw Error(Kind::Permanent, where + " is empty");
  return response;
}

struct Listing {
  Url page;
  std::vector<std::string> files;  // empty: it links none
};

// A page that cannot be had is no reason to fail: the raw text may be all that such a site offers. One that cannot be
// had just now is, since otherwise the answer would depend on the weather.
Listing listing_of(const Gist& gist, Fetcher& fetcher) {
  try {
    HttpResponse page = fetcher.page(gist.page);
    return {page.url, files_on_page(page.body, gist.id)};
  } catch (const Error& e) {
    if (e.kind() == Kind::Transient) throw;
    return {gist.page, {}};
  }
}

HttpResponse gist_document(const Gist& gist, Fetcher& fetcher) {
  const bool anchor = gist.wanted.starts_with("file-");
  if (!gist.wanted.empty() && !anchor) {
    try {
      return fetcher.document(raw_url(gist, gist.page, gist.wanted));
    } catch (const Error& e) {
      if (e.kind() != Kind::Permanent) throw;
      const Listing listing = listing_of(gist, fetcher);
      if (listing.files.empty()) throw;
      return fetcher.document(raw_url(gist, listing.page, file_meant(gist, listing.files)));
    }
  }
  if (anchor) {
    const Listing listing = listing_of(gist, fetcher);
    const std::string file = listing.files.empty() ? gist.wanted : file_meant(gist, listing.files);
    return fetcher.document(raw_url(gist, listing.page, file));
  }
  HttpResponse first = fetcher.document(raw_url(gist, gist.page, ""));
  const Listing listing = listing_of(gist, fetcher);
  if (listing.files.size() < 2) return first;
  return fetcher.document(raw_url(gist, listing.page, file_meant(gist, listing.files)));
}

}  // namespace

void spec_fetch(Call& call) {
  const Url url = parse_url(call.clipboard.require("spec_url"));
  Fetcher fetcher(call);
  call.progress("fetching " + url.shown());
  const auto gist = gist_of(url);
  const HttpResponse response = gist ? gist_document(*gist, fetcher) : fetcher.document(url);
  call.clipboard.set("spec_text", checked(response).body);
  call.clipboard.set("spec_source", response.url.text());
}

}  // namespace jarvis::workers
