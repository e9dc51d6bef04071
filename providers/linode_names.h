// What jarvis's marks, machines and volumes are called at Linode: tags of 3-50 characters, labels of Linodes (3-64) and
// of volumes (at most 32) with the characters that the API's description allows. What does not fit is cut and ends in a
// part of its own digest, so that the same name always gives the same label. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "providers/provider.h"

namespace jarvis::providers {

std::string linode_tag(const std::string& key, const std::string& value);
// "fqdn:...", "run:...", "step:...".
std::vector<std::string> linode_tags(const Marks& marks);
// Nothing unless each of the three is there once. A value that a tag could not hold is known again if it is one of
// `known`'s, else it stays as the tag has it.
std::optional<Marks> marks_of(const std::vector<std::string>& tags, const Marks& known);
// `tags` with these marks in place of any before; what people tagged stays.
std::vector<std::string> with_marks(const std::vector<std::string>& tags, const Marks& marks);

std::string linode_label(const std::string& fqdn);
std::string volume_label(const std::string& fqdn, const std::string& name);

// The disk that was the root before a rebuild began, as a tag of the machine; see linode_rebuild.h.
std::string old_root_tag(const std::string& disk);
std::optional<std::string> old_root_of(const std::vector<std::string>& tags);

}  // namespace jarvis::providers
