// Keeping secrets out of what people and files see: the values of secret keys of a run's clipboards are blanked in log
// lines, last words and progress. Pure.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/clipboard.h"

namespace jarvis::pipeline {

class Blanker {
 public:
  explicit Blanker(std::function<bool(std::string_view key)> is_secret) : is_secret_(std::move(is_secret)) {}

  // The values under secret keys of a clipboard that has passed its check. Lines of at least 6 bytes are blanked each.
  void learn(const std::string& clipboard_text);
  void learn_values(const std::vector<std::string>& values);

  // Control characters and invalid UTF-8 become `?`, secret values and what follows `KEY:` or `KEY=` for a secret key
  // become [secret]. One line in, one line out.
  std::string line(std::string_view text) const;
  // The same for every line of a text; inside "-----BEGIN ... PRIVATE KEY-----" everything is blanked.
  std::string lines(std::string_view text) const;

  std::size_t size() const { return values_.size(); }

 private:
  void learn_line(std::string_view line);

  std::function<bool(std::string_view)> is_secret_;
  std::vector<std::string> values_;  // longest first
};

// What the loop keeps of a clipboard beside its bytes.
struct Facts {
  std::string hostname, fqdn;
  std::vector<std::string> secrets;
};
Facts facts_of(const Clipboard& board, const std::set<std::string, std::less<>>& secret_keys);

// The clipboard as a person may see it: the value of every secret key is `!sealed DATA` (in block style, comments
// lost).
std::string show_sealed(const std::string& clipboard_text, const std::function<bool(std::string_view key)>& is_secret,
                        const std::function<std::string(std::string_view plain)>& seal);
// The way back. Error(Usage) naming the key when `open` throws.
std::string open_sealed(const std::string& clipboard_text,
                        const std::function<std::string(std::string_view sealed)>& open);

}  // namespace jarvis::pipeline
