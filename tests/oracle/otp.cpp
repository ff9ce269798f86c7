#include "oracle/otp.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace espalier::oracle {

namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

std::vector<Trace> parse(const std::filesystem::path& file) {
  std::vector<Trace> traces;
  Trace trace;
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);) {
    if (line == ".") {
      traces.push_back(std::exchange(trace, {}));
    } else if (line == "#") {
      trace.emplace_back();
    } else {
      trace.back().push_back(line);
    }
  }
  return traces;
}

}  // namespace

std::optional<std::string> Otp::missing() {
  for (const char* program : {"erl", "erlc"}) {
    const auto look = "command -v " + std::string{program} + " >/dev/null";
    if (std::system(look.c_str()) == 0) continue;
    return std::string{program} + " is not installed; apt-get install erlang-base";
  }
  return std::nullopt;
}

Otp::Otp() {
  auto name = (std::filesystem::temp_directory_path() / "espalier-oracle-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder like " + name);
  folder_ = name;
  static_cast<void>(run("erlc -o . '" ORACLE_SOURCE "'"));
}

Otp::~Otp() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Otp::run(const std::string& command) const {
  const auto line = "cd '" + folder_.string() + "' && " + command + " >said.txt 2>&1 </dev/null";
  const auto code = std::system(line.c_str());
  auto said = text_of(folder_ / "said.txt");
  if (code != 0) throw std::runtime_error(command + " failed:\n" + said);
  return said;
}

std::vector<Trace> Otp::traces_of(const std::vector<Scenario>& scenarios) const {
  {
    std::ofstream out{folder_ / "scenarios.txt"};
    for (const auto& scenario : scenarios)
      out << to_term(scenario) << ".\n";
  }
  // One scheduler: nothing here runs at the same time as anything else, and others may be busy.
  const auto said = run("erl +S 1:1 -noshell -pa . -run otp_oracle main scenarios.txt traces.txt");
  auto traces = parse(folder_ / "traces.txt");
  if (traces.size() == scenarios.size()) return traces;
  throw std::runtime_error("Erlang carried out " + std::to_string(traces.size()) + " of " +
                           std::to_string(scenarios.size()) + " scenarios:\n" + said);
}

}  // namespace espalier::oracle
