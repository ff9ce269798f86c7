#include "espalier/rehearsal/storm.hpp"

#include "espalier/supervisor/core/backoff.hpp"
#include "espalier/supervisor/core/path_pattern.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

namespace espalier::rehearsal {

namespace sv = supervisor;
using namespace std::chrono_literals;
using Ending = testing::ChildScript::Ending;

namespace {

constexpr sv::Duration soon = 100ms;

void add_leaves(const sv::SupervisorSpec& tree, const std::string& path,
                std::vector<std::string>& all) {
  for (const auto& child : tree.children) {
    const auto at = sv::join_path(path, child.name);
    if (child.supervisor)
      add_leaves(*child.supervisor, at, all);
    else
      all.push_back(at);
  }
}

void add_supervisors(const sv::SupervisorSpec& tree, const std::string& path,
                     std::vector<std::string>& all) {
  for (const auto& child : tree.children) {
    if (!child.supervisor) continue;
    all.push_back(sv::join_path(path, child.name));
    add_supervisors(*child.supervisor, all.back(), all);
  }
}

std::string list_of(const std::vector<std::string>& paths) {
  constexpr std::size_t most = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, paths.size()); ++i)
    text += (i > 0 ? ", " : "") + paths[i];
  if (paths.size() > most) text += " and " + std::to_string(paths.size() - most) + " more";
  return text.empty() ? "none" : text;
}

bool is_command(storm::Incident::Kind kind) {
  using Kind = storm::Incident::Kind;
  return kind == Kind::start || kind == Kind::stop || kind == Kind::restart;
}

/// Uniform in (0, 1].
double chance(sv::RandomSource& random) {
  constexpr auto whole = sv::Duration{1'000'000'000'000};
  const auto part = random.between(sv::Duration{1}, whole);
  return static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

void earlier(std::optional<Ending>& first, Ending other) {
  if (!first || other.after < first->after) first = std::move(other);
}

sv::ExitRecord failure(const std::string& message) {
  return {.kind = sv::ExitKind::failed,
          .category = sv::FailureCategory::recoverable,
          .message = message};
}

std::optional<Ending> by_chance(const storm::Failures& what, sv::RandomSource& random) {
  std::optional<Ending> first;
  if (what.share > 0 && chance(random) <= what.share) earlier(first, {soon, failure(what.message)});
  if (what.every > 0s) {
    const auto life = -std::log(chance(random)) * static_cast<double>(what.every.count());
    // Whole milliseconds, so that the times in a report can be read.
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(
        std::chrono::duration<double, std::nano>(std::min(life, 1e18)));
    earlier(first, {rounded, failure(what.message)});
  }
  return first;
}

}  // namespace

std::vector<std::string> leaf_paths(const sv::SupervisorSpec& tree) {
  std::vector<std::string> all;
  add_leaves(tree, "/", all);
  return all;
}

bool concerns(const std::string& who, const std::string& path) {
  if (who == path || sv::fits_pattern(who, path)) return true;
  const auto slash = path.rfind('/');
  const auto parent = slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
  return parent != "/" && (who == parent || sv::fits_pattern(who, parent));
}

std::vector<std::string> storm_problems(const Storm& storm, const sv::SupervisorSpec& tree) {
  const auto leaves = leaf_paths(tree);
  std::vector<std::string> supervisors;
  add_supervisors(tree, "/", supervisors);
  std::vector<std::string> problems;
  const auto check = [&](const std::string& who, bool or_supervisor) {
    const auto meant = [&](const std::string& path) {
      return who == path || sv::fits_pattern(who, path) || who.starts_with(path + "/");
    };
    if (std::any_of(leaves.begin(), leaves.end(), meant)) return;
    if (or_supervisor && std::any_of(supervisors.begin(), supervisors.end(), meant)) return;
    problems.push_back("no child is '" + who + "'; there are: " + list_of(leaves));
  };
  for (const auto& failures : storm.failures)
    check(failures.path, false);
  for (const auto& incident : storm.incidents)
    if (incident.kind != storm::Incident::Kind::shutdown)
      check(incident.path, is_command(incident.kind));
  for (const auto& pace : storm.paces)
    check(pace.path, false);
  return problems;
}

testing::ChildScript::Fate fate_of(const Storm& storm, const std::string& path,
                                   std::uint64_t seed) {
  std::vector<storm::Failures> failures;
  for (const auto& one : storm.failures)
    if (concerns(one.path, path)) failures.push_back(one);
  std::vector<storm::Incident> outages;
  for (const auto& one : storm.incidents)
    if (one.kind == storm::Incident::Kind::outage && concerns(one.path, path))
      outages.push_back(one);
  if (failures.empty() && outages.empty()) return {};
  auto random = std::make_shared<sv::RandomSource>(seed);
  return [=](sv::Duration now) {
    std::optional<Ending> first;
    for (const auto& one : failures)
      if (auto ending = by_chance(one, *random)) earlier(first, std::move(*ending));
    for (const auto& one : outages)
      if (now >= one.at && now < one.at + one.lasts) earlier(first, {one.after, one.exit});
    return first;
  };
}

}  // namespace espalier::rehearsal
