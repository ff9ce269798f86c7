#include "espalier/cli/commands.hpp"

#include "espalier/cli/builtins.hpp"
#include "espalier/cli/console.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/host_check.hpp"
#include "espalier/cli/rehearsal/rehearsal_command.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/cli/tree_text.hpp"
#include "espalier/supervisor/core/tree_plan.hpp"

#include <caf/config.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <iterator>

namespace espalier::cli {
namespace sv = espalier::supervisor;

sv::LoadOptions load_options() {
  sv::LoadOptions options;
  const auto factories = builtin_factories();
  options.known_factories = factories.names();
  for (const auto& name : options.known_factories) {
    if (const auto kind = factories.kind_of(name)) options.factory_kinds[name] = *kind;
  }
  options.known_probes = factories.probe_names();
  options.overrides_from_environment = true;
  return options;
}

expected<sv::TreeConfig, std::vector<sv::ConfigProblem>> load_tree(const std::string& file) {
  const sv::LoadOptions options = load_options();
  if (file != "-") return sv::load_tree_file(file, options);
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  return sv::load_tree_text(text, "<stdin>", options);
}

namespace {

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

void print_plan(const std::vector<std::string>& steps, bool json, std::ostream& out) {
  if (json) {
    out << "{\"steps\":[";
    for (std::size_t i = 0; i < steps.size(); ++i)
      out << (i > 0 ? "," : "") << json_text(escape_controls(steps[i]));
    out << "]}\n";
    return;
  }
  for (const std::string& step : steps)
    out << escape_controls(step) << "\n";
  if (steps.empty()) out << "nothing to do\n";
}

}  // namespace

namespace {

nlohmann::ordered_json json_of(const std::vector<sv::ConfigProblem>& problems) {
  auto list = nlohmann::ordered_json::array();
  for (const sv::ConfigProblem& one : problems) {
    list.push_back({{"file", one.position.file},
                    {"line", one.position.line},
                    {"column", one.position.column},
                    {"key", one.key},
                    {"message", one.message}});
  }
  return list;
}

}  // namespace

int check_as_json(const std::string& file, const Streams& streams) {
  const auto config = load_tree(file);
  const auto problems = config ? check_host(*config) : config.error();
  nlohmann::ordered_json result{{"ok", problems.empty()}, {"problems", json_of(problems)}};
  if (config) {
    result["warnings"] = json_of(config->warnings);
    result["start_order"] = start_paths(config->tree);
  }
  using Faulty = nlohmann::ordered_json::error_handler_t;
  streams.out << result.dump(2, ' ', true, Faulty::replace) << "\n";
  return problems.empty() ? exit_done : exit_config_invalid;
}

int check_command(const std::string& file, bool advise, const Streams& streams) {
  const auto config = load_tree(file);
  if (!config) {
    streams.err << render_problems(config.error());
    return exit_config_invalid;
  }
  // What the file means does not depend on this machine.
  if (advise) print_advice(config->tree, streams);
  if (const auto problems = check_host(*config); !problems.empty()) {
    streams.err << render_problems(problems);
    return exit_config_invalid;
  }
  for (const sv::ConfigProblem& warning : config->warnings)
    streams.err << "warning: " << warning.to_string() << "\n";
  const std::vector<std::string> paths = start_paths(config->tree);
  streams.out << describe_tree(config->tree) << "\nStart order:\n";
  for (std::size_t i = 0; i < paths.size(); ++i) {
    streams.out << "  " << i + 1 << ". " << paths[i] << "\n";
  }
  streams.out << "\n"
              << (file == "-" ? "<stdin>" : file) << ": fine, " << paths.size()
              << (paths.size() == 1 ? " child" : " children") << "\n";
  return exit_done;
}

int config_command(const std::string& file, const Streams& streams) {
  const auto config = load_tree(file);
  if (!config) {
    streams.err << render_problems(config.error());
    return exit_config_invalid;
  }
  streams.out << sv::render_effective(*config);
  return exit_done;
}

int plan_command(const std::string& file, const std::string& against, bool json,
                 const Streams& streams) {
  const auto wanted = load_tree(file);
  if (!wanted) {
    streams.err << render_problems(wanted.error());
    return exit_config_invalid;
  }
  sv::SupervisorSpec now = wanted->tree;
  now.children.clear();
  if (!against.empty()) {
    auto before = load_tree(against);
    if (!before) {
      streams.err << render_problems(before.error());
      return exit_config_invalid;
    }
    now = std::move(before->tree);
  }
  print_plan(sv::plan_tree(now, wanted->tree), json, streams.out);
  return exit_done;
}

int version_command(bool json, const Streams& streams) {
  const std::string caf = std::to_string(CAF_MAJOR_VERSION) + "." +
                          std::to_string(CAF_MINOR_VERSION) + "." +
                          std::to_string(CAF_PATCH_VERSION);
  if (json) {
    streams.out << R"({"name":"espalier","version":")" << ESPALIER_VERSION << R"(","caf":")" << caf
                << R"(","compiler":")" << ESPALIER_COMPILER << "\"}\n";
  } else {
    streams.out << "espalier " << ESPALIER_VERSION << " (CAF " << caf << ", " << ESPALIER_COMPILER
                << ")\n";
  }
  return exit_done;
}

}  // namespace espalier::cli
