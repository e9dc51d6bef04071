#include "providers/vmware_notes.h"

#include <unistd.h>

#include <fstream>

#include "pipeline/error.h"

namespace jarvis::providers::vmware {

std::vector<std::string> Notes::read(const std::string& name) const {
  std::vector<std::string> lines;
  std::ifstream file(directory_ / name);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

void Notes::write(const std::string& name, const std::vector<std::string>& lines) const {
  std::error_code fault;
  std::filesystem::create_directories(directory_, fault);
  const auto made = directory_ / ("." + name + "." + std::to_string(::getpid()));
  {
    std::ofstream file(made, std::ios::trunc);
    for (const std::string& line : lines) file << line << '\n';
    file.flush();
    if (!file) throw pipeline::system_error("cannot write " + made.string());
  }
  std::filesystem::rename(made, directory_ / name, fault);
  if (fault)
    throw pipeline::Error(pipeline::Kind::Permanent,
                          "cannot write " + (directory_ / name).string() + ": " + fault.message());
}

void Notes::erase(const std::string& name) const {
  std::error_code ignored;
  std::filesystem::remove(directory_ / name, ignored);
}

}  // namespace jarvis::providers::vmware
