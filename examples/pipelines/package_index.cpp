// Real data: reads the index of the packages of a Debian machine, parses its entries in parallel
// and reports which sections take most room. Arguments: the file (else /var/lib/dpkg/status).
#include <espalier/pipeline.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pipeline = espalier::pipeline;

namespace {

struct Package {
  std::string name = {};
  std::string section = {};
  std::uint64_t kilobytes = 0;
};

// One entry after the other; they end at an empty line.
class Entries {
 public:
  explicit Entries(const std::string& path) : in_(std::make_shared<std::ifstream>(path)) {
    if (!*in_) throw std::runtime_error("cannot read " + path);
  }
  std::optional<std::string> operator()() const {
    std::string entry;
    for (std::string line; std::getline(*in_, line);) {
      if (line.empty() && !entry.empty()) return entry;
      entry += line + '\n';
    }
    return entry.empty() ? std::nullopt : std::optional(entry);
  }

 private:
  std::shared_ptr<std::ifstream> in_;
};

std::string field(const std::string& entry, const std::string& name) {
  const auto key = name + ": ";
  auto at = entry.starts_with(key) ? 0 : entry.find('\n' + key);
  if (at == std::string::npos) return {};
  at = entry.find(':', at) + 2;
  return entry.substr(at, entry.find('\n', at) - at);
}

Package parse(const std::string& entry) {
  Package package{field(entry, "Package"), field(entry, "Section")};
  if (package.name.empty()) throw std::invalid_argument("an entry without a name");
  const auto size = field(entry, "Installed-Size");
  const auto end = size.data() + size.size();
  if (std::from_chars(size.data(), end, package.kilobytes).ptr != end)
    throw std::invalid_argument(package.name + " has a size that is no number: " + size);
  return package;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string file = argc > 1 ? argv[1] : "/var/lib/dpkg/status";
  auto index = pipeline::from<std::string>()
                   .filter("installed",
                           [](const std::string& entry) {
                             return field(entry, "Status").find(" installed") != std::string::npos;
                           })
                   .stage("parse", parse, {.workers = 2, .capacity = 1000})
                   .build({.name = "packages"});
  const pipeline::Show show([&] { return index.snapshot(); }, *pipeline::make_display("progress"));

  std::map<std::string, std::pair<int, std::uint64_t>> sections;
  int bad = 0;
  for (const auto& result : index.stream(Entries(file))) {
    if (result) {
      auto& [count, kilobytes] = sections[result->section];
      ++count;
      kilobytes += result->kilobytes;
    } else if (result.failure()) {
      std::cerr << result.failure()->message << '\n';
      ++bad;
    }
  }

  using Section = std::pair<std::string, std::pair<int, std::uint64_t>>;
  std::vector<Section> by_size(sections.begin(), sections.end());
  std::sort(by_size.begin(), by_size.end(),
            [](const Section& a, const Section& b) { return a.second.second > b.second.second; });
  const auto counts = index.counts();
  std::cout << counts.accepted << " entries, " << counts.succeeded << " installed, " << bad
            << " unreadable\n";
  for (std::size_t i = 0; i < std::min<std::size_t>(5, by_size.size()); ++i)
    std::cout << by_size[i].first << ": " << by_size[i].second.first << " packages, "
              << by_size[i].second.second << " kB\n";
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
