#include "workers/tftp.h"

#include <curl/curl.h>
#include <signal.h>

#include <memory>

#include "pipeline/error.h"
#include "workers/http_url.h"
#include "workers/printable.h"

namespace jarvis::workers {

using namespace std::chrono_literals;
using pipeline::Error;
using pipeline::Kind;

namespace {

constexpr auto kAskAgain = 2s;

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

struct Received {
  std::string text;
  std::size_t most_bytes;
};

// C: an answer that is too large ends the transfer, which then is a write error.
std::size_t take(char* bytes, std::size_t, std::size_t size, void* into) noexcept {
  auto& received = *static_cast<Received*>(into);
  if (received.text.size() + size > received.most_bytes) return 0;
  try {
    received.text.append(bytes, size);
    return size;
  } catch (...) {
    return 0;
  }
}

std::string url_of(const TftpFile& file) {
  const bool v6 = file.server.find(':') != std::string::npos;
  std::string url = "tftp://" + (v6 ? "[" + file.server + "]" : file.server) + ":" + std::to_string(file.port);
  for (std::size_t at = 0; at <= file.path.size();) {
    const std::size_t end = std::min(file.path.find('/', at), file.path.size());
    url += "/" + percent_encoded(file.path.substr(at, end - at));
    at = end + 1;
  }
  return url;
}

template <typename T>
void set(CURL* handle, CURLoption option, T value) {
  const CURLcode code = curl_easy_setopt(handle, option, value);
  if (code != CURLE_OK)
    throw Error(Kind::Bug, "libcurl refuses option " + std::to_string(option) + ": " + curl_easy_strerror(code));
}

}  // namespace

std::optional<std::string> tftp_get(const TftpFile& file) {
  ::signal(SIGPIPE, SIG_IGN);
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw Error(Kind::Bug, "libcurl does not start");
  const std::unique_ptr<CURL, FreeHandle> handle(curl_easy_init());
  if (!handle) throw Error(Kind::Bug, "libcurl makes no handle");
  CURL* const h = handle.get();
  const std::string url = url_of(file);
  Received received{{}, file.most_bytes};
  set(h, CURLOPT_URL, url.c_str());
  set(h, CURLOPT_PROTOCOLS_STR, "tftp");
  set(h, CURLOPT_PROXY, "");  // whatever the environment says
  set(h, CURLOPT_NOSIGNAL, 1L);
  set(h, CURLOPT_QUICK_EXIT, 1L);
  set(h, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(file.limit.count()));
  set(h, CURLOPT_TIMEOUT_MS, static_cast<long>(file.limit.count()));
  set(h, CURLOPT_TFTP_NO_OPTIONS, 1L);  // options (RFC 2347) confuse some old servers, and buy nothing here
  set(h, CURLOPT_WRITEFUNCTION, take);
  set(h, CURLOPT_WRITEDATA, &received);
  const CURLcode code = curl_easy_perform(h);
  const std::string detail = curl_easy_strerror(code);  // its longer words are about sockets where it is about TFTP
  const std::string shown = printable(url);
  switch (code) {
    case CURLE_OK:
      return std::move(received.text);
    case CURLE_TFTP_NOTFOUND:
      return {};
    case CURLE_TFTP_PERM:
    case CURLE_TFTP_ILLEGAL:  // what becomes of tftpd-hpa's error 0, "Permission denied"
      throw Error(Kind::Permanent, shown + ": the server does not give it out; may everybody read the file?");
    case CURLE_WRITE_ERROR:
      throw Error(Kind::Permanent, shown + ": is larger than " + std::to_string(file.most_bytes) + " bytes");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE: {
      Error error(Kind::Transient, shown + ": the TFTP server does not answer: " + detail);
      throw error.retry_after(kAskAgain);
    }
    default:
      throw Error(Kind::Permanent, shown + ": " + detail);
  }
}

}  // namespace jarvis::workers
