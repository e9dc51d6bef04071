#include "bot/links/irc/registration.h"

#include <array>
#include <sstream>

namespace jarvis::bot::links::irc {

namespace {

// What we understand. account-tag, account-notify, extended-join, chghost: who somebody is and stays; batch and
// server-time: what is a playback of old messages; message-tags: who says of himself that he is a bot.
constexpr std::array<const char*, 9> kWanted = {"account-notify", "account-tag", "batch",
                                                "cap-notify",     "chghost",     "extended-join",
                                                "message-tags",   "server-time", "sasl"};
// One AUTHENTICATE carries at most 400 bytes; exactly 400 means that another one follows.
constexpr std::size_t kChunk = 400;

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> made;
  for (std::string word; in >> word;) made.push_back(word);
  return made;
}

bool lists(const std::string& list, const std::string& wanted) {
  return ("," + list + ",").find("," + wanted + ",") != std::string::npos;
}

}  // namespace

bool Registration::hear(const Line& line, std::vector<std::string>& say) {
  if (line.command == "CAP") {
    hear_cap(line, say);
    return true;
  }
  if (line.command == "AUTHENTICATE") {
    authenticate(line, say);
    return true;
  }
  if (!login_ || ended_) return false;
  if (line.command == "903") {  // RPL_SASLSUCCESS
    logged_in_ = true;
    end(say);
    return true;
  }
  // ERR_NICKLOCKED, ERR_SASLFAIL, ERR_SASLTOOLONG, ERR_SASLABORTED, ERR_SASLALREADY
  if (line.command == "902" || line.command == "904" || line.command == "905" || line.command == "906" ||
      line.command == "907") {
    failure_ = "SASL " + mechanism() + " failed: " + line.last();
    return true;
  }
  if (line.command == "001" && !logged_in_) failure_ = "the server let us in without the SASL login that is configured";
  if (line.command == "421" && line.param(1) == "CAP") {
    failure_ = "the server knows no CAP, so no SASL login, which is configured";
  }
  return failure_.has_value();
}

void Registration::hear_cap(const Line& line, std::vector<std::string>& say) {
  const std::string what = line.param(1);
  if (what == "LS" || what == "NEW") {
    for (const std::string& word : words(line.last())) {
      const std::size_t equals = word.find('=');
      offered_[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
    }
    if (what == "LS" && line.param(2) == "*") return;  // more lines follow
    offered_all(say);
  } else if (what == "ACK") {
    acknowledged(line.last(), say);
  } else if (what == "NAK") {
    if (login_ && !logged_in_) failure_ = "the server refuses the capabilities for a SASL login: " + line.last();
    end(say);
  } else if (what == "DEL") {
    for (const std::string& name : words(line.last())) {
      offered_.erase(name);
      enabled_.erase(name);
    }
  }
}

void Registration::offered_all(std::vector<std::string>& say) {
  if (login_ && !ended_) {
    const auto sasl = offered_.find("sasl");
    if (sasl == offered_.end()) {
      failure_ = "the server offers no SASL login now, and one is configured";
      return;
    }
    if (!sasl->second.empty() && !lists(sasl->second, mechanism())) {
      failure_ = "the server offers no SASL " + mechanism() + ", only " + sasl->second;
      return;
    }
  }
  std::string request;
  for (const std::string name : kWanted) {
    if (!offered_.contains(name) || has(name)) continue;
    if (name == "sasl" && (!login_ || ended_)) continue;
    request += (request.empty() ? "" : " ") + name;
  }
  if (request.empty()) return end(say);
  say.push_back("CAP REQ :" + request);
}

void Registration::acknowledged(const std::string& names, std::vector<std::string>& say) {
  bool sasl = false;
  for (const std::string& name : words(names)) {
    if (name.starts_with('-')) {
      enabled_.erase(name.substr(1));
      continue;
    }
    enabled_.insert(name);
    sasl = sasl || name == "sasl";
  }
  if (sasl && login_ && !ended_) {
    say.push_back("AUTHENTICATE " + mechanism());
  } else if (!login_ || logged_in_) {
    end(say);
  }
}

void Registration::authenticate(const Line& line, std::vector<std::string>& say) {
  // "+" asks for our answer. Some servers write it as ":+", which is the same parameter.
  if (!login_ || ended_ || line.param(0) != "+") return;
  if (login_->external) {
    say.emplace_back("AUTHENTICATE +");  // no other name than the certificate's
    return;
  }
  using namespace std::string_literals;
  const std::string answer = base64(login_->user + "\0"s + login_->user + "\0"s + login_->password);
  for (std::size_t at = 0; at < answer.size(); at += kChunk) say.push_back("AUTHENTICATE " + answer.substr(at, kChunk));
  if (answer.size() % kChunk == 0) say.emplace_back("AUTHENTICATE +");
}

void Registration::end(std::vector<std::string>& say) {
  if (!ended_ && !failure_) say.emplace_back("CAP END");
  ended_ = true;
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string made;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8U | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const auto digit = static_cast<std::size_t>(group >> (18 - 6 * k)) & 63U;
      made += k <= n ? kDigits[digit] : '=';
    }
  }
  return made;
}

}  // namespace jarvis::bot::links::irc
