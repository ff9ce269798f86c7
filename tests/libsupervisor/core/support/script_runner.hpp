#pragma once

#include "espalier/supervisor/core/engine.hpp"
#include "libsupervisor/core/support/engine_promises.hpp"
#include "libsupervisor/core/support/script_spec.hpp"

#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace espalier::supervisor::testing_support {

inline Input exited(ChildIndex child, Generation generation, ExitKind kind,
                    FailureCategory category = FailureCategory::none,
                    const std::string& message = {}) {
  ExitRecord exit;
  exit.kind = kind;
  exit.category = category;
  exit.message = message;
  return input::ChildExited{child, generation, exit, {}, {}};
}

/// Drives one engine by lines of text, in virtual time that only `wait` moves, and answers each
/// line with what the engine did. The language:
///
///   supervisor KEY=VALUE...   forgets everything and begins a new supervisor
///   child NAME [permanent|transient|temporary] KEY=VALUE...
///   manual / obedient         a started child does not report `running` by itself;
///                             a child asked to stop, or aborted, ends at once
///   show TYPE...              also prints events of these types (`show events`: of all types)
///   show report               prints the statuses that Finished carries
///   admission                 restarts ask the tree to be let in
///   seed N                    of the jitter
///   start, stop [limit=MS], abort [MS], wait MS
///   running|ready|alive A, extend A MS, crash A [message], complete A, fail A CATEGORY [message],
///   exit A KIND, late A GENERATION, end_tree A (a supervisor that wants the tree to end)
///   orphan A KIND             the same as `exit` of a supervisor that could not end its child x
///   start_child|stop_child|restart_child|pause_child|resume_child|quarantine_child|
///   remove_child|reset_child A [dry]
///   add_child A KEY=VALUE...  from here on the promises are not watched: they know no new children
///   set_policy A KEY=VALUE... with the keys of a child
///   wanted supervisor|child ...   what `reload` shall make of it; promises as for add_child
///   reload [dry], reset_group G
///   probe A ok|MESSAGE        the answer to the last probe of A; gate A ok|MESSAGE likewise
///   admit A, ask A restart|shutdown [reason]
///   show replies              also prints the answers to commands
///   explain, phase A          prints the last decision as a sentence; prints where a child stands
class ScriptRunner {
 public:
  std::string run(const std::string& line) {
    std::istringstream in{line};
    std::string verb;
    in >> verb;
    if (verb == "supervisor") return *this = ScriptRunner{parse_supervisor(in)}, "";
    if (verb == "child") return spec_.children.push_back(parse_child(in)), "";
    if (verb == "manual") return manual_ = true, "";
    if (verb == "obedient") return obedient_ = true, "";
    if (verb == "admission") return admission_ = true, "";
    if (verb == "seed") return in >> seed_, "";
    if (verb == "show") return shown_.insert(std::istream_iterator<std::string>{in}, {}), "";
    out_.clear();
    if (verb == "wanted") return want(in), "";
    begin();
    if (!about_all(verb, in) && !command(verb, in)) about_child(verb, in);
    return std::move(out_);
  }

  ScriptRunner() = default;

  /// Null before the first input.
  [[nodiscard]] const EnginePromises* promises() const { return promises_.get(); }
  /// Where a child stands; empty: there is none of that name.
  [[nodiscard]] std::string phase(const std::string& who) const {
    for (ChildIndex i = 0; i < engine_->size(); ++i)
      if (engine_->child_name(i) == who && engine_->phase(i) != ChildPhase::removed)
        return to_string(engine_->phase(i));
    return "";
  }
  [[nodiscard]] std::uint64_t last_ticket() const { return ticket_; }
  void check_settled() { promises_->check_settled(); }
  [[nodiscard]] const SupervisorSpec& spec() const { return spec_; }
  [[nodiscard]] const SupervisorEngine& engine() const { return *engine_; }

 private:
  explicit ScriptRunner(SupervisorSpec spec) : spec_(std::move(spec)) {}

  void begin() {
    if (engine_) return;
    EngineContext context;
    context.sequence = std::make_shared<std::atomic<std::uint64_t>>(0);
    context.seed = seed_;
    context.admission = admission_;
    engine_ = std::make_unique<SupervisorEngine>(spec_, context);
    promises_ = std::make_unique<EnginePromises>(spec_);
  }

  // Answers of obedient children are inputs of their own and come after the effects they answer.
  void apply(Input what) {
    std::deque<Input> inputs{std::move(what)};
    while (!inputs.empty()) {
      const auto effects = engine_->handle(inputs.front(), now_);
      if (promises_) promises_->see(inputs.front(), effects, now_);
      inputs.pop_front();
      for (const auto& e : effects)
        std::visit([&](const auto& x) { print(x), answer(x, inputs); }, e);
    }
  }

  template <class T>
  void answer(const T&, std::deque<Input>&) {}
  void answer(const effect::StartChild& x, std::deque<Input>& inputs) {
    if (!manual_) inputs.emplace_back(input::ChildRunning{x.child, x.generation, {}});
  }
  void answer(const effect::StopChild& x, std::deque<Input>& inputs) {
    if (obedient_) inputs.emplace_back(exited(x.child, x.generation, ExitKind::stopped));
  }
  void answer(const effect::AbortChild& x, std::deque<Input>& inputs) {
    if (obedient_) inputs.emplace_back(exited(x.child, x.generation, ExitKind::aborted));
  }

  void wait(std::istream& in) {
    std::string ms;
    in >> ms;
    const auto until = now_ + millis(ms);
    for (int fired = 0; engine_->next_deadline() && *engine_->next_deadline() <= until; ++fired) {
      if (fired == 10000) return say("a deadline that never passes");
      now_ = std::max(now_, *engine_->next_deadline());
      apply(input::TimePassed{});
    }
    now_ = until;
  }

  void want(std::istream& in) {
    std::string what;
    in >> what;
    if (what == "supervisor") {
      wanted_ = parse_supervisor(in);
    } else {
      wanted_.children.push_back(parse_child(in));
    }
  }

  bool command(const std::string& verb, std::istream& in) {
    static const std::map<std::string, CommandKind> kinds{
        {"add_child", CommandKind::add_child},
        {"remove_child", CommandKind::remove_child},
        {"start_child", CommandKind::start_child},
        {"stop_child", CommandKind::stop_child},
        {"restart_child", CommandKind::restart_child},
        {"pause_child", CommandKind::pause_child},
        {"resume_child", CommandKind::resume_child},
        {"quarantine_child", CommandKind::quarantine_child},
        {"reset_child", CommandKind::reset_child},
        {"set_policy", CommandKind::set_policy},
        {"reset_group", CommandKind::reset_group},
        {"scale_pool", CommandKind::scale_pool},
        {"reload", CommandKind::reload},
        {"shutdown_tree", CommandKind::shutdown_tree}};
    const auto found = kinds.find(verb);
    if (found == kinds.end()) return false;
    auto wish = std::make_shared<Command>();
    wish->kind = found->second;
    wish->meta = {"tester", "a test"};
    input::Order order;
    order.ticket = ++ticket_;
    if (verb == "add_child" || verb == "set_policy") {
      const auto spec = std::make_shared<ChildSpec>(parse_child(in));
      wish->spec = spec;
      if (verb == "set_policy") order.child = spec->name;
      if (verb == "add_child") promises_.reset();
    } else if (verb == "reset_group") {
      in >> wish->group;
    } else if (verb == "reload") {
      wish->tree = std::make_shared<SupervisorSpec>(std::exchange(wanted_, {}));
      promises_.reset();
    } else if (verb != "shutdown_tree") {
      in >> order.child;
      wish->path = join_path("/", order.child);
    }
    for (std::string word; in >> word;) {
      if (word == "dry") wish->dry_run = true;
      if (word.starts_with("if=")) wish->expected_generation = std::stoull(word.substr(3));
    }
    order.command = std::move(wish);
    apply(order);
    return true;
  }

  bool about_all(const std::string& verb, std::istream& in) {
    if (verb == "wait") return wait(in), true;
    if (verb == "explain") return say(last_decision_), true;
    if (verb == "start") return apply(input::Start{}), true;
    if (verb == "stop") {
      input::Stop stop{"test", {}, {}};
      for_each_setting(in, [&](const auto&, const auto& v) { stop.limit = millis(v); });
      return apply(stop), true;
    }
    if (verb != "abort") return false;
    std::string ms = "1000";
    in >> ms;
    return apply(input::Abort{millis(ms.empty() ? "1000" : ms), {}}), true;
  }

  static std::optional<Input> report(const std::string& verb, ChildIndex c, Generation g) {
    if (verb == "running") return input::ChildRunning{c, g, {}};
    if (verb == "ready") return input::ChildReady{c, g};
    if (verb == "alive") return input::ChildAlive{c, g};
    if (verb == "complete") return exited(c, g, ExitKind::completed);
    return std::nullopt;
  }

  void about_child(const std::string& verb, std::istream& in) {
    std::string who, rest;
    in >> who >> std::ws;
    std::getline(in, rest);
    const auto child = index(who);
    const auto generation = engine_->generation(child);
    if (const auto simple = report(verb, child, generation)) return apply(*simple);
    if (verb == "crash")
      return apply(exited(child, generation, ExitKind::panicked, FailureCategory::panic, rest));
    if (verb == "end_tree") {
      auto end = input::ChildExited{child, generation, {}, {}, {}, true};
      end.exit.kind = ExitKind::failed;
      return apply(end);
    }
    if (verb == "late")
      return apply(exited(child, std::stoull(rest), ExitKind::panicked, FailureCategory::panic));
    if (verb == "exit") return apply(exited(child, generation, pick(kinds_, rest)));
    if (verb == "orphan") {
      auto end = exited(child, generation, pick(kinds_, rest));
      std::get<input::ChildExited>(end).subtree = {
          {.path = join_path("/" + who, "x"), .outcome = ChildShutdownOutcome::abort_failed}};
      return apply(end);
    }
    if (verb == "extend") return apply(input::ChildExtend{child, generation, millis(rest)});
    if (verb == "probe" || verb == "gate") return answer_probe(child, rest);
    if (verb == "admit") return apply(input::Admitted{child, generation + 1});
    if (verb == "ask") {
      const auto gap = std::min(rest.find(' '), rest.size());
      const auto wish =
          rest.substr(0, gap) == "restart" ? input::Wish::restart : input::Wish::shutdown;
      return apply(
          input::ChildAsks{child, generation, wish, rest.substr(std::min(gap + 1, rest.size()))});
    }
    if (verb == "phase") return say("phase " + who + " " + to_string(engine_->phase(child)));
    if (verb != "fail") throw std::invalid_argument("unknown verb '" + verb + "'");
    const auto space = std::min(rest.find(' '), rest.size());
    apply(exited(child, generation, ExitKind::failed, pick(categories_, rest.substr(0, space)),
                 rest.substr(std::min(space + 1, rest.size()))));
  }

  void answer_probe(ChildIndex child, const std::string& how) {
    const auto& asked = probes_.at(child);
    apply(input::ProbeResult{child, asked.purpose, asked.number, how == "ok",
                             how == "ok" ? "" : how});
  }

  ChildIndex index(const std::string& who) const {
    for (ChildIndex i = 0; i < engine_->size(); ++i)
      if (engine_->child_name(i) == who && engine_->phase(i) != ChildPhase::removed) return i;
    throw std::invalid_argument("unknown child '" + who + "'");
  }

  void say(const std::string& what) {
    out_ += std::to_string(now_.time_since_epoch() / std::chrono::milliseconds{1}) + "ms " + what +
            "\n";
  }
  [[nodiscard]] std::string name(ChildIndex child) const { return engine_->child_name(child); }

  void print(const effect::StartChild& x) {
    say("start " + name(x.child) + "#" + std::to_string(shown(x.generation)));
  }
  void print(const effect::StopChild& x) {
    const bool bounded = x.limit && engine_->child_spec(x.child)->kind == ChildKind::supervisor;
    say("stop " + name(x.child) +
        (bounded ? " limit=" + std::to_string(*x.limit / std::chrono::milliseconds{1}) : ""));
  }
  void print(const effect::AbortChild& x) {
    const bool is_tree = engine_->child_spec(x.child)->kind == ChildKind::supervisor;
    say("abort " + name(x.child) +
        (is_tree ? " wait=" + std::to_string(x.wait / std::chrono::milliseconds{1}) : ""));
  }
  void print(const effect::AbandonChild& x) { say("abandon " + name(x.child)); }
  void print(const effect::TreeUp&) { say("up"); }
  void print(const effect::SuspendChild& x) {
    say((x.suspended ? "suspend " : "continue ") + name(x.child));
  }
  void print(const effect::RunProbe& x) {
    static const char* words[] = {"readiness", "health", "gate"};
    probes_[x.child] = x;
    say("probe " + name(x.child) + " " + words[static_cast<std::size_t>(x.purpose)]);
  }
  void print(const effect::CancelProbe& x) { say("cancel probe " + name(x.child)); }
  void print(const effect::RequestAdmission& x) { say("ask to admit " + name(x.child)); }
  void print(const effect::EndAdmission& x) { say("end admission " + name(x.child)); }
  void print(const effect::ChildCreated& x) { say("created " + name(x.child)); }
  void print(const effect::EndTree& x) { say("end tree: " + x.reason); }
  void print(const effect::Reply& x) {
    if (!shown_.contains("replies")) return;
    const auto number = "reply " + std::to_string(x.ticket) + " ";
    if (!x.result) {
      say(number + to_string(x.result.error().code) + ": " + x.result.error().message);
      return;
    }
    say(number +
        (x.result->joined    ? "joined"
         : x.result->changed ? "done"
                             : "unchanged") +
        ": " + x.result->text);
    for (const auto& line : x.result->plan)
      say("  " + line);
  }
  void print(const effect::Emit& x) {
    if (const auto* decided = std::get_if<events::RestartDecided>(&x.body))
      last_decision_ = explain(join_path("/", name(*x.child)), *decided->decision);
    const std::string type = type_name(x.body);
    if (!shown_.contains("events") && !shown_.contains(type)) return;
    const auto path = x.child ? join_path("/", name(*x.child)) : "/";
    say("event " + type + " " + path + ": " + describe(x.body, path));
  }
  void print(const effect::Finished& x) {
    static const char* words[] = {"stopped", "failed", "start_failed"};
    const auto why = x.result == effect::Result::stopped ? "" : ": " + describe(x.exit);
    say("finished " + std::string{words[static_cast<std::size_t>(x.result)]} + why +
        (x.ends_tree ? " (ends the tree)" : ""));
    if (!shown_.contains("report")) return;
    for (const auto& status : x.children)
      say("  " + status.path + " " + to_string(status.outcome));
  }

  static inline const std::map<std::string, ExitKind> kinds_{
      {"stopped", ExitKind::stopped},     {"aborted", ExitKind::aborted},
      {"signalled", ExitKind::signalled}, {"timed_out", ExitKind::timed_out},
      {"completed", ExitKind::completed}, {"unhealthy", ExitKind::unhealthy}};
  static inline const std::map<std::string, FailureCategory> categories_{
      {"recoverable", FailureCategory::recoverable},
      {"external_dependency", FailureCategory::external_dependency},
      {"fatal_config", FailureCategory::fatal_config},
      {"fatal_bug", FailureCategory::fatal_bug}};

  SupervisorSpec spec_ = {};
  std::unique_ptr<SupervisorEngine> engine_ = {};
  std::unique_ptr<EnginePromises> promises_ = {};
  std::set<std::string> shown_ = {};
  std::string out_ = {}, last_decision_ = {};
  SupervisorSpec wanted_ = {};
  std::map<ChildIndex, effect::RunProbe> probes_ = {};
  std::uint64_t seed_ = 1, ticket_ = 0;
  bool admission_ = false;
  TimePoint now_ = {};
  bool manual_ = false;
  bool obedient_ = false;
};

}  // namespace espalier::supervisor::testing_support
