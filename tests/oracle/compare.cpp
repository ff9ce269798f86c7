#include "oracle/compare.hpp"

#include "oracle/our_tree.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace espalier::oracle {

namespace {

using Lines = std::vector<std::string>;

Lines with_late_kills_last(const Lines& lines) {
  Lines first;
  Lines late;
  std::set<std::string> asked;
  for (const auto& line : lines) {
    const auto path = line.substr(line.find(' ') + 1);
    if (line.starts_with("stop ")) asked.insert(path);
    if (line.starts_with("start ")) asked.erase(path);
    const bool is_late = line.starts_with("kill ") && asked.contains(path);
    (is_late ? late : first).push_back(line);
  }
  std::sort(late.begin(), late.end());
  first.insert(first.end(), late.begin(), late.end());
  return first;
}

// Instances of a pool are stopped together, in no order.
void sort_instances(Lines& lines) {
  const auto of_instance = [](const std::string& line) {
    const auto last = line.rfind('/') + 1;
    const bool asks = line.starts_with("stop ") || line.starts_with("kill ");
    return asks && last < line.size() && line[last] <= '9';
  };
  for (auto from = lines.begin(); from != lines.end();) {
    from = std::find_if(from, lines.end(), of_instance);
    const auto to = std::find_if_not(from, lines.end(), of_instance);
    std::sort(from, to);
    from = to;
  }
}

const Lines& part(const Trace& trace, std::size_t at) {
  static const Lines nothing;
  return at < trace.size() ? trace[at] : nothing;
}

void append(std::vector<Scenario>& candidates, const Scenario& candidate) {
  if (is_comparable(candidate)) candidates.push_back(candidate);
}

void without_actions(const Scenario& scenario, std::vector<Scenario>& candidates) {
  for (std::size_t i = 0; i < scenario.actions.size(); ++i) {
    auto fewer = scenario;
    fewer.actions.erase(fewer.actions.begin() + static_cast<std::ptrdiff_t>(i));
    append(candidates, fewer);
    for (std::size_t k = 0; k < scenario.actions[i].ends.size(); ++k) {
      auto smaller = scenario;
      auto& ends = smaller.actions[i].ends;
      ends.erase(ends.begin() + static_cast<std::ptrdiff_t>(k));
      append(candidates, smaller);
    }
    if (scenario.actions[i].times <= 1) continue;
    auto fewer_times = scenario;
    --fewer_times.actions[i].times;
    append(candidates, fewer_times);
  }
}

void without_children(const Scenario& scenario, std::vector<Scenario>& candidates) {
  if (scenario.root.is_pool) return;  // Its template.
  for (std::size_t i = 0; i < scenario.root.children.size(); ++i) {
    auto fewer = scenario;
    auto& children = fewer.root.children;
    children.erase(children.begin() + static_cast<std::ptrdiff_t>(i));
    append(candidates, fewer);
    const auto nested = scenario.root.children[i].nested;
    for (std::size_t k = 0; nested && !nested->is_pool && k < nested->children.size(); ++k) {
      auto inner = *nested;
      inner.children.erase(inner.children.begin() + static_cast<std::ptrdiff_t>(k));
      auto smaller = scenario;
      smaller.root.children[i].nested = std::make_shared<const SupervisorDecl>(std::move(inner));
      append(candidates, smaller);
    }
  }
}

}  // namespace

Trace comparable_part(const Trace& trace) {
  Trace result;
  for (const auto& lines : trace) {
    result.push_back(with_late_kills_last(lines));
    sort_instances(result.back());
  }
  return result;
}

bool agree(const Trace& otp, const Trace& ours) {
  return comparable_part(otp) == comparable_part(ours);
}

std::string side_by_side(const Scenario& scenario, const Trace& otp, const Trace& ours) {
  constexpr std::size_t width = 44;
  const auto left = comparable_part(otp);
  const auto right = comparable_part(ours);
  std::ostringstream text;
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    text << to_term(scenario.actions[i]) << "\n";
    const auto& theirs = part(left, i);
    const auto& mine = part(right, i);
    for (std::size_t k = 0; k < std::max(theirs.size(), mine.size()); ++k) {
      const auto one = k < theirs.size() ? theirs[k] : std::string{};
      const auto other = k < mine.size() ? mine[k] : std::string{};
      text << (one == other ? "    " : "  ! ") << one
           << std::string(one.size() < width ? width - one.size() : 1, ' ') << other << "\n";
    }
  }
  return text.str();
}

// All candidates of a round go to Erlang together, for its start takes longest.
Scenario reduced(Scenario scenario, const Otp& otp) {
  while (true) {
    std::vector<Scenario> candidates;
    without_actions(scenario, candidates);
    without_children(scenario, candidates);
    if (candidates.empty()) return scenario;
    const auto traces = otp.traces_of(candidates);
    std::size_t at = 0;
    while (at < candidates.size() && agree(traces[at], trace_of(candidates[at])))
      ++at;
    if (at == candidates.size()) return scenario;
    scenario = candidates[at];
  }
}

}  // namespace espalier::oracle
