// Reads one small file by TFTP (RFC 1350), by libcurl, whose room tftp.cc is with http*.cc. Knows no menu and no
// clipboard.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace jarvis::workers {

struct TftpFile {
  std::string server;  // a host name or an IP address, IPv6 without brackets
  std::string path;    // as the server knows it, without a slash before it
  int port = 69;
  std::chrono::milliseconds limit{5'000};  // of everything
  std::size_t most_bytes = 1U << 20U;
};

// Blocks until it is there or the limit is over. Nothing when the server has no such file. Error(Transient) when it
// cannot be reached, does not answer or breaks off; Error(Permanent) when it may not be read or is too large.
std::optional<std::string> tftp_get(const TftpFile& file);

}  // namespace jarvis::workers
