#pragma once

#include "ipc/support/fake_target.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <stdexcept>

namespace espalier::ipc::testing_support {

namespace fake {

namespace sup = espalier::supervisor;
using Values = nlohmann::json;

inline constexpr std::uint64_t epoch = 1'769'860'799'000'000;

inline std::shared_ptr<const sup::ProcessSpec> process(std::vector<std::string> command) {
  sup::ProcessSpec spec;
  spec.command = std::move(command);
  return std::make_shared<const sup::ProcessSpec>(std::move(spec));
}

inline sup::NodeState node(const std::string& path, sup::ChildSpec spec, sup::ChildPhase phase,
                           std::optional<std::int64_t> pid = {}) {
  sup::NodeState made;
  made.path = path;
  made.kind = spec.kind;
  made.view.phase = phase;
  made.view.generation = 1;
  made.view.attempt = 1;
  made.view.restart_limit = 5;
  made.view.since = FakeTarget::start() - std::chrono::seconds{1};
  made.view.pid = pid;
  if (spec.kind == sup::ChildKind::supervisor || spec.kind == sup::ChildKind::pool) {
    sup::SupervisorView view;
    if (spec.supervisor) view.strategy = spec.supervisor->strategy;
    made.supervisor = std::make_shared<const sup::SupervisorView>(view);
  }
  made.spec = std::make_shared<const sup::ChildSpec>(std::move(spec));
  return made;
}

inline WireError no_child(const std::string& message) {
  return {ErrorCode::invalid_spec, Stage::parameters, message, false, {}};
}

inline const std::map<std::string, sup::ChildKind>& kinds() {
  static const std::map<std::string, sup::ChildKind> all = [] {
    std::map<std::string, sup::ChildKind> made;
    for (int i = 0; i <= static_cast<int>(sup::ChildKind::pool); ++i) {
      const auto kind = static_cast<sup::ChildKind>(i);
      made[to_string(kind)] = kind;
    }
    return made;
  }();
  return all;
}

inline expected<sup::ChildSpec, WireError> child_of(const Values& json, const std::string& parent);

inline expected<std::vector<sup::ChildSpec>, WireError> children_of(const Values& json,
                                                                    const std::string& parent) {
  std::vector<sup::ChildSpec> all;
  for (const auto& one : json.value("children", Values::array())) {
    auto child = child_of(one, parent);
    if (!child) return unexpected<WireError>(child.error());
    all.push_back(std::move(*child));
  }
  return all;
}

inline std::shared_ptr<const sup::ProbeSpec> probe_of(const Values& json, const char* key) {
  if (!json.contains(key)) return {};
  sup::ProbeSpec probe;
  probe.command = json[key].value("exec", std::vector<std::string>{});
  return std::make_shared<const sup::ProbeSpec>(std::move(probe));
}

inline expected<sup::ChildSpec, WireError> child_of(const Values& json, const std::string& parent) {
  if (!json.is_object() || !json.contains("name") || !json.contains("kind")) {
    return unexpected<WireError>(no_child("child of " + parent + ": name and kind are needed"));
  }
  const auto kind = kinds().find(json["kind"].get<std::string>());
  if (kind == kinds().end()) {
    return unexpected<WireError>(no_child("child of " + parent + ": kind is none there is"));
  }
  sup::ChildSpec child;
  child.name = json["name"].get<std::string>();
  child.kind = kind->second;
  child.factory = json.value("factory", "");
  if (json.value("restart", "permanent") == "transient") {
    child.policy.restart = sup::RestartType::transient;
  }
  child.policy.health_check = probe_of(json, "health_check");
  child.policy.readiness_probe = probe_of(json, "readiness_probe");
  if (json.value("isolation", "none") == "process") child.isolation = sup::Isolation::process;
  if (json.contains("command")) {
    sup::ProcessSpec spec;
    spec.command = json["command"].get<std::vector<std::string>>();
    spec.environment = json.value("environment", std::map<std::string, std::string>{});
    child.process = std::make_shared<const sup::ProcessSpec>(std::move(spec));
  }
  const auto path = sup::join_path(parent, child.name);
  if (child.kind == sup::ChildKind::supervisor) {
    auto below = children_of(json, path);
    if (!below) return unexpected<WireError>(below.error());
    sup::SupervisorSpec spec;
    spec.children = std::move(*below);
    child.supervisor = std::make_shared<const sup::SupervisorSpec>(std::move(spec));
  }
  if (child.kind == sup::ChildKind::pool) {
    auto inner = child_of(json.value("child", Values{}), path);
    if (!inner) return unexpected<WireError>(inner.error());
    sup::PoolSpec spec;
    spec.child = std::move(*inner);
    child.pool = std::make_shared<const sup::PoolSpec>(std::move(spec));
  }
  return child;
}

}  // namespace fake

inline FakeTarget::FakeTarget() {
  using namespace fake;
  sup::ChildSpec root, db, api, etl, load, pool, worker;
  root.kind = etl.kind = sup::ChildKind::supervisor;
  db.name = "db";
  db.kind = api.kind = worker.kind = sup::ChildKind::process;
  db.process = process({"postgres", "-D", "/data"});
  db.tags = {"storage"};
  api.name = "api";
  api.process = process({"api-server"});
  api.dependencies = {"db"};
  etl.name = "etl";
  sup::SupervisorSpec below;
  below.strategy = sup::Strategy::rest_for_one;
  etl.supervisor = std::make_shared<const sup::SupervisorSpec>(below);
  load.name = "load";
  load.kind = sup::ChildKind::blocking;
  load.factory = "loader";
  pool.name = "pool";
  pool.kind = sup::ChildKind::pool;
  worker.process = process({"worker"});
  sup::PoolSpec instances;
  instances.child = worker;
  pool.pool = std::make_shared<const sup::PoolSpec>(instances);
  worker.name = "1";
  using P = sup::ChildPhase;
  auto top = node("/", root, P::running);
  top.spec = nullptr;
  add(std::move(top));
  add(node("/db", db, P::running, 4001));
  add(node("/api", api, P::backing_off));
  add(node("/etl", etl, P::running));
  add(node("/etl/load", load, P::running));
  add(node("/pool", pool, P::running));
  add(node("/pool/1", worker, P::running, 4002));
  health_now.state = sup::HealthReport::State::degraded;
  health_now.since = start_wall() - std::chrono::milliseconds{500};
  health_now.not_ready = {"/api"};

  sup::ExitRecord exit;
  exit.kind = sup::ExitKind::failed;
  exit.category = sup::FailureCategory::recoverable;
  exit.code = 1;
  sup::RestartDecision decision;
  decision.exit = exit;
  decision.verdict = sup::Verdict::restart_after;
  decision.deciding_rule = sup::Rule::backoff;
  decision.delay = std::chrono::milliseconds{1600};
  decision.checks = {{sup::Rule::child_limit, false, 1, 5, std::chrono::seconds{60}, {}},
                     {sup::Rule::backoff, true, 1, 0, {}, {}}};
  auto& failed = find("/api")->view;
  failed.last_exit = std::make_shared<const sup::ExitRecord>(exit);
  failed.last_decision = std::make_shared<const sup::RestartDecision>(decision);
  failed.due = start() + std::chrono::milliseconds{1600};
  failed.restarts_in_window = failed.restarts_total = 1;
  publish("/db", sup::events::ChildReady{std::chrono::milliseconds{20}});
  publish("/api", sup::events::ChildExited{exit, std::chrono::seconds{3}});
  publish("/api", sup::events::RestartDecided{failed.last_decision, {"/api"}, 1});
  write("/db", LogStream::out, "ready to accept connections");
  write("/api", LogStream::err, "no such table");
  write("/api", LogStream::supervisor, "exited: exit code 1 after 3 s");
}

inline void FakeTarget::add(supervisor::NodeState node) {
  nodes_.push_back(std::move(node));
}

inline supervisor::NodeState* FakeTarget::find(const std::string& path) {
  const auto found = std::ranges::find(nodes_, path, &supervisor::NodeState::path);
  return found == nodes_.end() ? nullptr : &*found;
}

inline supervisor::PhaseCounts FakeTarget::counts() const {
  supervisor::PhaseCounts counts;
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    const auto phase = nodes_[i].view.phase;
    ++counts.total;
    ++counts.by_phase[static_cast<std::size_t>(phase)];
    if (phase != supervisor::ChildPhase::running) ++counts.unready;
  }
  return counts;
}

inline void FakeTarget::change(const std::string& path, supervisor::ChildPhase phase) {
  auto* node = find(path);
  if (!node) throw std::invalid_argument{"no such node: " + path};
  if (phase == supervisor::ChildPhase::starting) {
    ++node->view.generation;
    ++node->view.attempt;
  }
  node->view.phase = phase;
  node->view.since = now();
  node->view.due = {};
  if (phase == supervisor::ChildPhase::running) {
    publish(path, supervisor::events::ChildRunning{node->view.pid});
  } else if (phase == supervisor::ChildPhase::starting) {
    publish(path, supervisor::events::ChildStarting{});
  } else {
    publish(path, supervisor::events::ChildStopping{supervisor::StopCause::command});
  }
}

inline void FakeTarget::publish(const std::string& path, supervisor::EventBody body) {
  supervisor::Event event;
  event.sequence = ++sequence_;
  event.epoch = fake::epoch;
  event.at = wall();
  event.monotonic = now();
  event.path = path;
  if (const auto* node = find(path); node && path != "/") {
    event.generation = node->view.generation;
    event.attempt = node->view.attempt;
  }
  if (!events_.empty() && events_.back().path == path) {
    event.cause = {events_.back().sequence, events_.back().sequence};
  }
  event.body = std::move(body);
  events_.push_back(std::move(event));
  keep(events_kept_, lines_kept_);
}

inline void FakeTarget::write(const std::string& path, LogStream stream, const std::string& text) {
  LogLine line;
  line.at = wall();
  line.path = path;
  line.generation = 1;
  line.stream = stream;
  if (stream == LogStream::supervisor) line.level = supervisor::Severity::warning;
  line.message = text;
  lines_.push_back(std::move(line));
  keep(events_kept_, lines_kept_);
}

inline void FakeTarget::remove(const std::string& path) {
  std::erase_if(nodes_,
                [&](const auto& x) { return x.path == path || x.path.starts_with(path + "/"); });
  publish("/", supervisor::events::ChildRemoved{"a test"});
}

inline void FakeTarget::keep(std::size_t events, std::size_t lines) {
  events_kept_ = events;
  lines_kept_ = lines;
  for (; events_.size() > events_kept_; events_.pop_front())
    ++events_lost_;
  for (; lines_.size() > lines_kept_; lines_.pop_front())
    ++lines_lost_;
}

inline TargetInfo FakeTarget::info() {
  return {"shop", "The shop", 4000, "1.2.3", start_wall() - std::chrono::seconds{1}, fake::epoch};
}

inline expected<supervisor::TreeState, supervisor::Error> FakeTarget::state(
    const supervisor::StateQuery& query) {
  ++states_read;
  if (!find(query.path)) {
    return unexpected<supervisor::Error>(
        supervisor::Error{supervisor::Error::Code::not_found, "there is no " + query.path});
  }
  supervisor::TreeState state;
  state.epoch = fake::epoch;
  state.sequence = sequence_;
  state.config_version = "v7";
  state.taken_at = wall();
  state.counts = counts();
  const auto prefix = query.path == "/" ? "/" : query.path + "/";
  for (const auto& node : nodes_) {
    if (node.path == query.path) state.nodes.push_back(node);
    if (!node.path.starts_with(prefix) || node.path == query.path) continue;
    const auto rest = node.path.substr(prefix.size());
    const auto level = 1 + std::ranges::count(rest, '/');
    if (query.depth && level > static_cast<std::int64_t>(*query.depth)) continue;
    state.nodes.push_back(node);
  }
  return state;
}

inline supervisor::HealthReport FakeTarget::health() {
  auto report = health_now;
  report.counts = counts();
  return report;
}

inline supervisor::RunSummary FakeTarget::summary() {
  supervisor::RunSummary summary;
  summary.started_at = start_wall() - std::chrono::seconds{1};
  summary.restarts = 1;
  summary.failures = 1;
  summary.state = "running";
  return summary;
}

inline expected<supervisor::Why, supervisor::Error> FakeTarget::why(const std::string& path) {
  const auto* node = find(path);
  if (!node) {
    return unexpected<supervisor::Error>(
        supervisor::Error{supervisor::Error::Code::not_found, "there is no " + path});
  }
  return supervisor::why_of(path, node->view, {events_.begin(), events_.end()});
}

inline supervisor::EventPage FakeTarget::events(std::uint64_t position, std::size_t limit) {
  supervisor::EventPage page;
  page.lost = position < events_lost_ ? events_lost_ - position : 0;
  page.next = std::max(position, events_lost_);
  for (; page.events.size() < limit && page.next < events_end(); ++page.next) {
    page.events.push_back(events_[page.next - events_lost_]);
  }
  return page;
}

inline LinePage FakeTarget::lines(std::uint64_t position, std::size_t limit) {
  LinePage page;
  page.lost = position < lines_lost_ ? lines_lost_ - position : 0;
  page.next = std::max(position, lines_lost_);
  for (; page.lines.size() < limit && page.next < lines_end(); ++page.next) {
    page.lines.push_back({page.next, lines_[page.next - lines_lost_]});
  }
  return page;
}

inline std::optional<ResourceInfo> FakeTarget::resources(std::int64_t pid) {
  return ResourceInfo{static_cast<double>(pid) / 2, 1U << 20U, 7};
}

inline expected<supervisor::ChildSpec, WireError> FakeTarget::read_child(const std::string& parent,
                                                                         const std::string& text) {
  const auto json = fake::Values::parse(text, nullptr, false);
  try {
    return fake::child_of(json, parent);
  } catch (const nlohmann::json::exception&) {
    return unexpected<WireError>(fake::no_child("child of " + parent + ": a field is odd"));
  }
}

inline expected<supervisor::SupervisorSpec, WireError> FakeTarget::read_tree(
    const std::string& text) {
  if (text.empty()) return own_file;
  const auto json = fake::Values::parse(text, nullptr, false);
  if (!json.is_object()) {
    return unexpected<WireError>(fake::no_child("reload:1:1: expected a tree"));
  }
  try {
    auto children = fake::children_of(json, "/");
    if (!children) return unexpected<WireError>(children.error());
    supervisor::SupervisorSpec spec;
    spec.children = std::move(*children);
    return spec;
  } catch (const nlohmann::json::exception&) {
    return unexpected<WireError>(fake::no_child("reload:1:1: a field is odd"));
  }
}

inline supervisor::CommandResult FakeTarget::result_of(const supervisor::Command& command) {
  const auto plan = replies_.find(to_string(command.kind));
  if (plan != replies_.end() && plan->second.error) {
    return unexpected<supervisor::Error>(*plan->second.error);
  }
  supervisor::CommandOutcome outcome;
  outcome.path = supervisor::child_of(command);
  if (outcome.path.empty()) outcome.path = command.path;
  auto* node = find(outcome.path);
  if (node && command.expected_generation) {
    if (auto stale = supervisor::stale_generation(command, node->view.generation)) {
      return unexpected<supervisor::Error>(std::move(*stale));
    }
  }
  outcome.text =
      outcome.path + (command.dry_run ? ": would do " : ": did ") + to_string(command.kind);
  outcome.changed = !command.dry_run;
  if (node) {
    outcome.phase = node->view.phase;
    outcome.generation = node->view.generation;
  }
  if (command.dry_run) outcome.plan = {"stop " + outcome.path, "start " + outcome.path};
  return outcome;
}

inline void FakeTarget::execute(supervisor::Command command, Answer done) {
  executed.push_back(command);
  const auto plan = replies_.find(to_string(command.kind));
  const auto how = plan == replies_.end() ? Reply::at_once : plan->second.how;
  if (how == Reply::at_once) return done(result_of(command));
  if (how == Reply::later) return later_.push_back({std::move(command), std::move(done)});
  never_.push_back(std::move(done));
}

inline bool FakeTarget::finish() {
  if (later_.empty()) return false;
  auto next = std::move(later_.front());
  later_.pop_front();
  next.done(result_of(next.command));
  return true;
}

}  // namespace espalier::ipc::testing_support
