// Boot menus from the operator's templates: `[% NAME %]` stands for a value, and nothing else is special, so the
// templates of Template Toolkit that only name values work as they are. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jarvis::workers {

using MenuValues = std::vector<std::pair<std::string, std::string>>;

// Error(Usage) with the line of a name that has no value, of a `[%` without its `%]`, and of anything but a name
// between them.
std::string rendered(std::string_view menu, const MenuValues& values);

// "install_debian_12.tpl" of "Debian 12". Error(Usage) for a name that makes no plain file name.
std::string template_file(std::string_view os);

}  // namespace jarvis::workers
