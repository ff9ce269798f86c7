#pragma once

#include "libsupervisor/core/support/script_runner.hpp"

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace espalier::supervisor::testing_support {

using Script = std::vector<std::string>;

/// Every child does what is wanted of it until nothing is left to do.
inline void heal(ScriptRunner& runner) {
  const auto count = static_cast<ChildIndex>(runner.spec().children.size());
  for (int round = 0; round < 40; ++round) {
    for (ChildIndex c = 0; c < count; ++c) {
      const auto& name = runner.spec().children[c].name;
      if (runner.promises()->live(c) == 0) continue;
      if (runner.promises()->asked(c)) {
        runner.run("exit " + name + " stopped");
      } else {
        for (const char* verb : {"running ", "ready ", "alive "})
          runner.run(verb + name);
      }
    }
    runner.run("wait 15");
  }
}

/// What a script breaks; empty if nothing. Whatever went before: once all children behave the
/// tree must be up again, and a stop that no child answers must end within the total time.
inline std::vector<std::string> faults_of(const Script& script) {
  ScriptRunner healed;
  ScriptRunner runner;
  for (const auto& line : script) {
    healed.run(line);
    runner.run(line);
  }
  heal(healed);
  healed.check_settled();
  if (!healed.promises()->broken().empty()) return healed.promises()->broken();
  runner.run("stop");
  runner.run("wait 100000");
  auto broken = runner.promises()->broken();
  if (!runner.promises()->finished()) broken.emplace_back("a stop that never ends");
  if (runner.engine().next_deadline()) broken.emplace_back("a deadline after the end");
  return broken;
}

/// The same script without the lines that it does not need to fail. Lines before `first` stay.
inline Script shrunk(Script script, std::size_t first) {
  for (std::size_t size = script.size(); size > 0; size /= 2) {
    for (std::size_t at = first; at < script.size();) {
      auto shorter = script;
      const auto from = shorter.begin() + static_cast<std::ptrdiff_t>(at);
      shorter.erase(from, from + static_cast<std::ptrdiff_t>(std::min(size, script.size() - at)));
      if (faults_of(shorter).empty())
        at += size;
      else
        script = std::move(shorter);
    }
  }
  return script;
}

/// Random supervisors, and random things that happen to them, told in the script language.
class RandomScript {
 public:
  explicit RandomScript(unsigned seed) : seed_(seed), random_(seed) {}

  Script write(int length) {
    script_.clear();
    add(supervisor());
    const auto count = 1 + roll(6);
    for (std::size_t i = 0; i < count; ++i)
      add(child(i));
    add("seed " + std::to_string(seed_));
    if (roll(3) != 0) add("manual");
    if (roll(3) == 0) add("obedient");
    add("start");
    head_ = script_.size();
    for (int i = 0; i < length && !runner_.promises()->finished(); ++i)
      add(something(i, length));
    return script_;
  }

  /// How many lines describe the supervisor.
  [[nodiscard]] std::size_t head() const { return head_; }

 private:
  std::size_t roll(std::size_t n) { return random_() % n; }
  std::string any(std::initializer_list<const char*> words) {
    return words.begin()[roll(words.size())];
  }
  std::string number(std::size_t below) { return std::to_string(roll(below)); }
  static std::string name(std::size_t i) { return std::string(1, static_cast<char>('a' + i)); }

  void add(const std::string& line) {
    script_.push_back(line);
    runner_.run(line);
  }

  std::string supervisor() {
    return "supervisor strategy=" + any({"one_for_one", "one_for_all", "rest_for_one"}) +
           " max=" + any({"0", "1", "3", "8", "none", "none"}) + " window=" + number(500) +
           " start_failure=" + any({"abort", "restart", "restart"}) +
           " order=" + any({"reverse", "reverse", "parallel"}) + " abort_wait=" + number(60) +
           " total=" + std::to_string(100 + roll(2000)) +
           " escalation=" + any({"escalate_to_parent", "shutdown_tree", "quarantine_scope"}) +
           " auto=" + any({"never", "never", "any", "all"}) + (roll(5) == 0 ? " budget=2@30" : "");
  }

  std::string child(std::size_t i) {
    std::string line = "child " + name(i) + " " + any({"permanent", "transient", "temporary"}) +
                       " backoff=" + any({"0", "10", "10..80"}) +
                       " jitter=" + any({"none", "full", "equal", "decorrelated"}) +
                       " reset_after=" + any({"50", "1000"}) +
                       " grace=" + any({"0", "20", "50", "brutal_kill", "infinity"}) +
                       " start_timeout=" + any({"0", "30", "1000"}) +
                       " watchdog=" + any({"0", "0", "40"}) +
                       " on_exhausted=" + any({"escalate", "quarantine", "stop"}) +
                       " fatal_bug=" + any({"restart", "leave_stopped", "escalate"});
    if (roll(3) == 0) line += " limit=" + number(4) + "/" + number(400);
    if (roll(4) == 0) line += " budget=" + any({"1@20", "2@5", "3@50"});
    if (roll(4) == 0) line += " severity=" + any({"critical", "optional"});
    if (roll(5) == 0) line += " run_timeout=" + std::to_string(20 + roll(200));
    if (roll(5) == 0) line += " on_timeout=" + any({"restart", "leave_stopped", "escalate"});
    if (roll(5) == 0) line += " can_suspend";
    if (roll(5) == 0) line += " significant";
    if (roll(3) == 0) line += " ready=explicit";
    if (i > 0 && roll(3) == 0) line += " deps=" + name(roll(i));
    return line;
  }

  // Mostly what can really come next for some child, now and then what cannot.
  std::string something(int step, int length) {
    const auto& promises = *runner_.promises();
    const auto child = static_cast<ChildIndex>(roll(runner_.spec().children.size()));
    const auto who = " " + name(child);
    if (roll(3) == 0) return "wait " + number(roll(4) == 0 ? 300 : 30);
    if (roll(60) == 0)
      return any({"stop_child", "restart_child", "reset_child", "pause_child", "resume_child",
                  "quarantine_child", "start_child"}) +
             who;
    if (roll(40) == 0 && promises.last(child) > 1)
      return "late" + who + " " + std::to_string(1 + roll(promises.last(child) - 1));
    if (roll(30) == 0) return any({"running", "ready", "alive", "crash", "complete"}) + who;
    if (step > length / 2 && roll(40) == 0) return "stop limit=" + number(500);
    if (step > length / 2 && roll(60) == 0) return "abort " + number(100);
    if (promises.live(child) == 0) return "wait " + number(5);
    if (promises.asked(child)) return "exit" + who + " " + any({"stopped", "aborted", "completed"});
    return roll(2) == 0 ? sign_of_life(who) : ending(who);
  }
  std::string sign_of_life(const std::string& who) {
    if (roll(8) == 0) return "extend" + who + " " + number(40);
    return any({"running", "ready", "alive"}) + who;
  }
  std::string ending(const std::string& who) {
    if (roll(12) == 0) return "fail" + who + " " + any({"fatal_config", "fatal_bug"});
    if (roll(3) == 0) return "complete" + who;
    return any({"crash", "running", "ready"}) + who;
  }

  unsigned seed_;
  std::mt19937 random_;
  ScriptRunner runner_;
  Script script_;
  std::size_t head_ = 0;
};

}  // namespace espalier::supervisor::testing_support
