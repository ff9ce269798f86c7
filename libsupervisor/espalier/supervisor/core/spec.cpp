#include "espalier/supervisor/core/spec.hpp"

#include <algorithm>
#include <cstddef>
#include <queue>
#include <unordered_map>

namespace espalier::supervisor {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Follows unmet dependencies from a child that could not be placed until one comes twice.
std::string name_cycle(const SupervisorSpec& spec,
                       const std::unordered_map<std::string, std::size_t>& index,
                       const std::vector<std::size_t>& unmet) {
  std::vector<std::size_t> trail;
  auto at = static_cast<std::size_t>(
      std::find_if(unmet.begin(), unmet.end(), [](auto n) { return n > 0; }) - unmet.begin());
  while (std::find(trail.begin(), trail.end(), at) == trail.end()) {
    trail.push_back(at);
    for (const auto& name : spec.children[at].dependencies) {
      if (const auto next = index.at(name); unmet[next] > 0) {
        at = next;
        break;
      }
    }
  }
  std::string text = "dependency cycle: ";
  for (auto i = std::find(trail.begin(), trail.end(), at); i != trail.end(); ++i) {
    text += spec.children[*i].name + " -> ";
  }
  return text + spec.children[at].name;
}

}  // namespace

bool is_valid_name(const std::string& name) {
  return !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '-';
  });
}

std::string join_path(const std::string& parent, const std::string& name) {
  return parent == "/" ? parent + name : parent + "/" + name;
}

StartOrder start_order(const SupervisorSpec& spec) {
  StartOrder result;
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < spec.children.size(); ++i)
    index.emplace(spec.children[i].name, i);
  std::vector<std::size_t> unmet(spec.children.size(), 0);
  std::vector<std::vector<std::size_t>> dependants(spec.children.size());
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    for (const auto& name : spec.children[i].dependencies) {
      const auto found = index.find(name);
      if (found == index.end()) {
        result.problem =
            "\"" + spec.children[i].name + "\" depends on \"" + name + "\", which is no sibling";
        return result;
      }
      dependants[found->second].push_back(i);
      ++unmet[i];
    }
  }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> free;
  for (std::size_t i = 0; i < unmet.size(); ++i) {
    if (unmet[i] == 0) free.push(i);
  }
  result.order.reserve(unmet.size());
  while (!free.empty()) {
    const auto i = free.top();
    free.pop();
    result.order.push_back(i);
    for (const auto d : dependants[i]) {
      if (--unmet[d] == 0) free.push(d);
    }
  }
  if (result.order.size() < unmet.size()) result.problem = name_cycle(spec, index, unmet);
  return result;
}

Duration heartbeat_interval(const ChildPolicy& policy) {
  return policy.heartbeat_interval > Duration::zero() ? policy.heartbeat_interval
                                                      : policy.watchdog / 3;
}

const char* to_string(Strategy x) {
  switch (x) {
    case Strategy::one_for_one:
      return "OneForOne";
    case Strategy::one_for_all:
      return "OneForAll";
    case Strategy::rest_for_one:
      return "RestForOne";
  }
  return "";
}

const char* to_string(RestartType x) {
  switch (x) {
    case RestartType::permanent:
      return "permanent";
    case RestartType::transient:
      return "transient";
    case RestartType::temporary:
      return "temporary";
  }
  return "";
}

const char* to_string(ChildKind x) {
  switch (x) {
    case ChildKind::actor:
      return "actor";
    case ChildKind::async:
      return "async";
    case ChildKind::blocking:
      return "blocking";
    case ChildKind::process:
      return "process";
    case ChildKind::supervisor:
      return "supervisor";
    case ChildKind::pool:
      return "pool";
    case ChildKind::pipeline:
      return "pipeline";
  }
  return "";
}

const char* to_string(OnExhausted x) {
  switch (x) {
    case OnExhausted::escalate:
      return "escalate";
    case OnExhausted::quarantine:
      return "quarantine";
    case OnExhausted::stop:
      return "stop";
  }
  return "";
}

const char* to_string(WorkRole x) {
  switch (x) {
    case WorkRole::service:
      return "service";
    case WorkRole::worker:
      return "worker";
    case WorkRole::job:
      return "job";
    case WorkRole::sidecar:
      return "sidecar";
    case WorkRole::supervisor:
      return "supervisor";
  }
  return "";
}

const char* to_string(SeverityClass x) {
  switch (x) {
    case SeverityClass::critical:
      return "critical";
    case SeverityClass::standard:
      return "standard";
    case SeverityClass::optional:
      return "optional";
  }
  return "";
}

const char* to_string(AutoShutdown x) {
  switch (x) {
    case AutoShutdown::never:
      return "never";
    case AutoShutdown::any_significant:
      return "any_significant";
    case AutoShutdown::all_significant:
      return "all_significant";
  }
  return "";
}

const char* to_string(EscalationPolicy x) {
  switch (x) {
    case EscalationPolicy::escalate_to_parent:
      return "escalate_to_parent";
    case EscalationPolicy::shutdown_tree:
      return "shutdown_tree";
    case EscalationPolicy::quarantine_scope:
      return "quarantine_scope";
  }
  return "";
}

const char* to_string(ProbeSpec::Kind x) {
  switch (x) {
    case ProbeSpec::Kind::exec:
      return "exec";
    case ProbeSpec::Kind::tcp:
      return "tcp";
    case ProbeSpec::Kind::http:
      return "http";
    case ProbeSpec::Kind::function:
      return "function";
  }
  return "";
}

const char* to_string(StartGate::Kind x) {
  switch (x) {
    case StartGate::Kind::path:
      return "path";
    case StartGate::Kind::port:
      return "port";
    case StartGate::Kind::pid_file:
      return "pid_file";
  }
  return "";
}

const char* to_string(Propagation x) {
  switch (x) {
    case Propagation::none:
      return "none";
    case Propagation::escalate_only:
      return "escalate_only";
    case Propagation::full:
      return "full";
  }
  return "";
}

}  // namespace espalier::supervisor
