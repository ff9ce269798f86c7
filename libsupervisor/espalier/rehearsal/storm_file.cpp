#include "espalier/rehearsal/storm_file.hpp"

#include "espalier/supervisor/config/internal/reader.hpp"
#include "espalier/supervisor/os/read_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace espalier::rehearsal {

namespace in = supervisor::internal;
using in::FieldVisitor;
using in::Text;
using in::Value;
using in::Zero;
using Kind = storm::Incident::Kind;
using Problems = std::vector<supervisor::ConfigProblem>;
using Result = expected<Storm, Problems>;

namespace {

constexpr const char* rate_words = "a share of its starts such as 5%, or a rate such as 3/day, 2/h";

std::optional<supervisor::Duration> unit_named(const std::string& name) {
  using namespace std::chrono_literals;
  static const std::array<std::pair<const char*, supervisor::Duration>, 7> units = {
      {{"s", 1s},
       {"min", 1min},
       {"h", 1h},
       {"hour", 1h},
       {"d", 24h},
       {"day", 24h},
       {"week", 168h}}};
  for (const auto& [word, length] : units)
    if (name == word) return length;
  return std::nullopt;
}

bool take_rate(const std::string& text, storm::Failures& into) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string rest = end;
  if (end == text.c_str() || !std::isfinite(number) || number <= 0) return false;
  into.share = 0;
  into.every = {};
  if (rest == "%") {
    into.share = number / 100;
    return number <= 100;
  }
  const auto unit = rest.starts_with('/') ? unit_named(rest.substr(1)) : std::nullopt;
  if (!unit) return false;
  const auto every = static_cast<double>(unit->count()) / number;
  into.every = supervisor::Duration(static_cast<supervisor::Duration::rep>(every));
  return every >= 1e6;  // More than a thousand a second is no failure rate.
}

Value rate_value(storm::Failures& target) {
  Value value;
  value.expected = rate_words;
  value.schema = R"({"type": "string"})";
  value.parse = [&target](const std::string&, const Text& text) {
    return take_rate(text.text, target);
  };
  value.render = [] { return std::string(); };
  return value;
}

bool take_path(const std::string& text, std::string& into) {
  into = text;
  return text.size() > 1 && text.front() == '/' && text.back() != '/';
}

Value path_value(std::string& target) {
  Value value;
  value.expected = "the path of a child such as /api/worker, or a pattern such as /api/*";
  value.schema = R"({"type": "string", "pattern": "^/."})";
  value.parse = [&target](const std::string&, const Text& text) {
    return take_path(text.text, target);
  };
  value.render = [&target] { return target; };
  return value;
}

Value incident_value(storm::Incident& target, Kind kind) {
  auto value = path_value(target.path);
  value.parse = [&target, kind](const std::string&, const Text& text) {
    target.kind = kind;
    return take_path(text.text, target.path);
  };
  return value;
}

Value shutdown_value(storm::Incident& target) {
  Value value;
  value.expected = "true";
  value.schema = R"({"const": true})";
  value.parse = [&target](const std::string&, const Text& text) {
    target.kind = Kind::shutdown;
    target.path = "/";
    return text.text == "true";
  };
  value.render = [] { return std::string(); };
  return value;
}

void describe_pace(FieldVisitor& v, storm::Pace& pace) {
  v.value({"path", "Of the child, or a pattern."}, path_value(pace.path));
  v.value({"ready_after", "From its start until it says so, or its probe does."},
          in::duration_value(pace.ready_after, Zero::allowed));
  v.value({"stops_after", "From the request to stop to its end."},
          in::duration_value(pace.stops_after, Zero::allowed));
  v.value({"ignores_stop", "It has to be killed."}, in::flag_value(pace.ignores_stop));
}

void describe_failures(FieldVisitor& v, storm::Failures& failures) {
  v.value({"path", "Of the child, or a pattern."}, path_value(failures.path));
  v.value({"rate", "How often it fails by chance."}, rate_value(failures));
  v.value({"message", "What is said of each."}, in::text_value(failures.message));
}

void describe_incident(FieldVisitor& v, storm::Incident& incident) {
  v.value({"at", "From the start of the tree."}, in::duration_value(incident.at, Zero::allowed));
  v.value({"exit", "The child fails."}, incident_value(incident, Kind::exit));
  v.value({"outage", "The child cannot work for a while."}, incident_value(incident, Kind::outage));
  v.value({"hang", "The child does nothing any more."}, incident_value(incident, Kind::hang));
  v.value({"start", "An operator starts it."}, incident_value(incident, Kind::start));
  v.value({"stop", "An operator stops it."}, incident_value(incident, Kind::stop));
  v.value({"restart", "An operator restarts it."}, incident_value(incident, Kind::restart));
  v.value({"shutdown", "The tree is shut down."}, shutdown_value(incident));
  v.value({"times", "So often; for exit."}, in::number_value(incident.times, 1, 1'000'000));
  v.value({"within", "Spread evenly over this time; for exit."},
          in::duration_value(incident.within, Zero::allowed));
  v.value({"lasts", "So long; for outage."}, in::duration_value(incident.lasts, Zero::refused));
  v.value({"after", "So long after its start each attempt fails meanwhile; for outage."},
          in::duration_value(incident.after, Zero::allowed));
  v.value({"message", "What is said of it."}, in::text_value(incident.exit.message));
  using Category = supervisor::FailureCategory;
  static const in::Words<Category> categories = {
      {Category::recoverable, "recoverable"},
      {Category::external_dependency, "external_dependency"},
      {Category::fatal_config, "fatal_config"},
      {Category::fatal_bug, "fatal_bug"}};
  v.value({"category", "What sort of failure it is."},
          in::word_value(incident.exit.category, categories));
}

void check_incident(in::LoadContext& context, const in::Node& node, const std::string& path,
                    const storm::Incident& incident) {
  static constexpr std::array kinds = {"exit", "outage",  "hang",    "start",
                                       "stop", "restart", "shutdown"};
  const auto said = std::count_if(kinds.begin(), kinds.end(),
                                  [&](const char* kind) { return node.find(kind) != nullptr; });
  if (said != 1)
    context.fail(node.position, path,
                 "expected one of exit, outage, hang, start, stop, restart, shutdown in it, "
                 "found " +
                     std::to_string(said));
  else if (incident.kind == Kind::outage && incident.lasts <= supervisor::Duration{})
    context.fail(node.position, path, "an outage needs lasts: and a duration");
}

void check_rows(in::LoadContext& context, const in::Node& root, const Storm& storm) {
  const auto* incidents = root.find("events");
  if (incidents && incidents->value.items.size() == storm.incidents.size())
    for (std::size_t i = 0; i < storm.incidents.size(); ++i)
      check_incident(context, incidents->value.items[i], "events[" + std::to_string(i) + "]",
                     storm.incidents[i]);
  const auto* failures = root.find("failures");
  for (std::size_t i = 0; failures && i < failures->value.items.size(); ++i) {
    const auto& node = failures->value.items[i];
    if (node.find("path") && node.find("rate")) continue;
    context.fail(node.position, "failures[" + std::to_string(i) + "]", "needs path: and rate:");
  }
  const auto* children = root.find("children");
  for (std::size_t i = 0; children && i < children->value.items.size(); ++i) {
    const auto& node = children->value.items[i];
    if (!node.find("path"))
      context.fail(node.position, "children[" + std::to_string(i) + "]", "needs path:");
  }
}

Result refuse(const std::string& path, const std::string& message) {
  return unexpected<Problems>(Problems{{{path, 0, 0}, "", message}});
}

}  // namespace

Result load_storm_text(const std::string& text, const std::string& file_name) {
  Problems problems;
  Problems warnings;
  std::vector<supervisor::EffectiveField> fields;
  const auto root = in::read_yaml(text, file_name, problems);
  if (!root) return unexpected<Problems>(std::move(problems));
  if (root->kind != in::Node::Kind::map)
    return refuse(file_name, "expected a map with events:, failures: or children:");
  const auto environment = supervisor::process_environment();
  in::LoadContext context{environment, problems, warnings, fields};
  Storm storm;
  in::Sources sources;
  in::Reader top(context, &*root, {}, sources);
  top.rows({"children", "How long things take."}, in::rows_of(storm.paces, describe_pace));
  top.rows({"failures", "By chance."}, in::rows_of(storm.failures, describe_failures));
  top.rows({"events", "At known times."}, in::rows_of(storm.incidents, describe_incident));
  top.finish();
  check_rows(context, *root, storm);
  if (problems.empty()) return storm;
  return unexpected<Problems>(std::move(problems));
}

Result load_storm_file(const std::string& path) {
  const auto text = supervisor::read_file(path, in::size_limit);
  if (!text)
    return refuse(path, "cannot be read: " + std::generic_category().message(text.error()));
  return load_storm_text(*text, path);
}

expected<storm::Failures, std::string> parse_failures(const std::string& text) {
  const auto colon = text.rfind(':');
  storm::Failures failures;
  if (colon == std::string::npos || !take_path(text.substr(0, colon), failures.path) ||
      !take_rate(text.substr(colon + 1), failures))
    return unexpected<std::string>("expected PATH:RATE, the rate being " + std::string(rate_words) +
                                   "; found '" + text + "'");
  return failures;
}

}  // namespace espalier::rehearsal
