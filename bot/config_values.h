// The forms of single values in configuration files. Pure functions: no files, no yaml, no clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jarvis::bot {

// "500ms", "30s", "10m", "1h", "2d"; a plain number is seconds; decimals allowed ("1.5s"). Nothing if it is none of
// these, negative, or over a year.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// "4096", "64KiB", "8MiB", "1GiB". Nothing if it is none of these or does not fit.
std::optional<std::uint64_t> parse_size(std::string_view text);

std::optional<std::int64_t> parse_number(std::string_view text);

// Each says what is wrong, or nothing when the value is well.
std::optional<std::string> wrong_with_loopback_range(std::string_view range);  // 127.0.64.0/24
std::optional<std::string> wrong_with_url(std::string_view url);  // https://, or http:// to this machine only
std::optional<std::string> wrong_with_address_range(std::string_view range);  // 10.0.0.0/8, fd00::/8, 192.0.2.7
// What may be fetched: https://HOST/PATH with `*` for any characters, in the host as its first part only.
std::optional<std::string> wrong_with_url_pattern(std::string_view pattern);
std::optional<std::string> wrong_with_ldap_uri(std::string_view uri);  // ldap:// ldaps:// ldapi://, no credentials
bool is_loopback_host(std::string_view host);                          // as a URL has it: IPv6 in brackets
std::optional<std::string> wrong_with_domain(std::string_view domain);

// What may stand before the colon of a task, and after it. Neither can look like an option, a path or a shell word.
bool is_module_name(std::string_view text);
bool is_task_name(std::string_view text);
bool is_module_and_task(std::string_view text);

std::string lower_case(std::string_view text);

}  // namespace jarvis::bot
