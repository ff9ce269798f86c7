#pragma once

#include "espalier/ipc/wire/snapshot.hpp"
#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc {

struct PathParams {
  std::string path = {};
  static void describe(auto& self, auto& visit) { visit("path", self.path, "The node."); }
};

struct RuleInfo {
  std::string rule = {};
  bool decided = false;
  std::uint64_t count = 0;
  std::uint64_t limit = 0;
  double window_ms = 0;
  std::optional<double> tokens = {};
  static void describe(auto& self, auto& visit) {
    visit("rule", self.rule, "Which rule.");
    visit("decided", self.decided, "It was the one that decided.");
    visit("count", self.count, "What it counted.");
    visit("limit", self.limit, "Against what; 0: none.");
    visit("window_ms", self.window_ms, "Within so long; 0: no window.");
    visit("tokens", self.tokens, "Left in a budget.");
  }
};

struct DecisionInfo {
  std::string verdict = {};
  std::string deciding_rule = {};
  double delay_ms = 0;
  ExitInfo exit = {};
  std::vector<RuleInfo> rules = {};
  std::string text = {};
  static void describe(auto& self, auto& visit) {
    visit("verdict", self.verdict, "What was decided.");
    visit("deciding_rule", self.deciding_rule, "By which rule.");
    visit("delay_ms", self.delay_ms, "How long it waits.");
    visit("exit", self.exit, "What it was about.");
    visit("rules", self.rules, "All that were consulted, in order.");
    visit("text", self.text, "The same as a sentence.");
  }
};

struct WhyResult {
  std::string path = {};
  std::string sentence = {};
  sv::ChildPhase phase = sv::ChildPhase::idle;
  std::optional<DecisionInfo> decision = {};
  std::vector<RawJson> chain = {};
  bool complete = true;
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "The node.");
    visit("sentence", self.sentence, "Why it is as it is.");
    visit("phase", self.phase, "Where it stands.");
    visit("decision", self.decision, "The last one about it.");
    visit("chain", self.chain, "The event that explains it and its causes, newest first.");
    visit("complete", self.complete, "False: the chain begins before the oldest kept event.");
  }
};

}  // namespace espalier::ipc
