// How a gist site's URLs and pages are built, as people copy them:
//
//   https://HOST/ID   https://HOST/USER/ID   https://HOST/USER/ID/REVISION     the page (ID alone redirects to USER/ID)
//   PAGE#NAME                                                                  means one file of several
//   PAGE#file-loki-yaml                                                        the same, as the site itself links it
//   https://HOST/USER/ID/raw   .../raw/NAME   .../raw/REVISION/NAME            the text, by a redirect to another host;
//                                                                              without a name the first file's
//
// The page links every file as "/USER/ID/raw/BLOB/NAME", which is how the list of files is found: the site's API is
// another host. Pure: asks nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workers/http_url.h"

namespace jarvis::workers {

struct Gist {
  Url page;            // without fragment
  std::string id;      // digits, or 20 and more hex digits
  std::string wanted;  // the fragment, decoded; empty: none
};

// Nothing for URLs of another shape: they are fetched as they are.
std::optional<Gist> gist_of(const Url& url);

// Where the text of one file is; of the first one if `name` is empty. `page` may be where a redirect of gist.page led.
Url raw_url(const Gist& gist, const Url& page, const std::string& name);

// The names of the files that the page links, each once, in its order.
std::vector<std::string> files_on_page(std::string_view html, const std::string& id);

// The anchor that the site gives a file on its page: "file-loki-yaml" of "loki.yaml".
std::string anchor_of(std::string_view file);

// The file that is meant: the wanted one, or the only one, or the only .yaml (.yml) one. Error(Permanent) naming the
// files when there is none or more than one. `files` is not empty.
std::string file_meant(const Gist& gist, const std::vector<std::string>& files);

}  // namespace jarvis::workers
