// The spec: what a person wants, as YAML, turned into the first clipboard. Everything wrong with it is found here,
// before anything runs, and said at once: line, column, key, value and what would be accepted. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/clipboard.h"
#include "pipeline/task.h"

namespace jarvis::pipeline {

struct Spec {
  Clipboard clipboard;   // the first one: block style, keys at column 0, order and quotes kept
  std::string fqdn;      // the host's identity
  std::string provider;  // in lower case
};

struct SpecRules {
  std::string domain;                  // completes a bare hostname; may be empty
  const TaskTable* table = nullptr;    // refuses keys that a task gives; short secrets
  std::vector<std::string> providers;  // those that have action lists
};

// `instance:` with its keys under it, `instance:` with its keys not indented, or the mapping alone. Error(Usage), every
// fault a line of its own.
Spec read_spec(const std::string& text, const SpecRules& rules);

// RFC 1123: labels of letters, digits and hyphens, 1-63 long, not at an end; 253 in all. `fqdn`: at least two labels.
bool valid_host_name(std::string_view name);
bool valid_fqdn(std::string_view name);

// Why an `sshpubkey` value is not one accepted public key line, or nothing.
std::optional<std::string> public_key_fault(std::string_view line);

}  // namespace jarvis::pipeline
