#pragma once

#include "espalier/ipc/wire/messages/common.hpp"
#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc {

/// Of every `command.*` method; each adds what stands in its own struct to these.
struct CommandParams {
  std::optional<std::string> path = {};
  std::string requested_by = {};
  std::string reason = {};
  std::optional<std::string> command_id = {};
  std::optional<bool> confirmed = {};
  std::optional<std::uint64_t> expected_generation = {};
  std::optional<bool> dry_run = {};
  std::optional<std::uint64_t> timeout_ms = {};
  std::optional<RawJson> child = {};       // add_child, set_policy
  std::optional<std::uint64_t> size = {};  // scale_pool
  std::optional<std::string> group = {};   // reset_group
  std::optional<std::string> text = {};    // reload
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "What it is about; reload and shutdown_tree: left out.");
    visit("requested_by", self.requested_by, "Who wants it; the kernel's word stands beside it.");
    visit("reason", self.reason, "Why; kept in the audit.");
    visit("command_id", self.command_id, "The same again gets the first answer; 1 to 128 bytes.");
    visit("confirmed", self.confirmed, "True for what is dangerous.");
    visit("expected_generation", self.expected_generation, "Refused if it is another by then.");
    visit("dry_run", self.dry_run, "Only say what would be done.");
    visit("timeout_ms", self.timeout_ms, "How long to wait for its end, 0 to 600000; 10000.");
    visit("child", self.child, "add_child: the child as in a tree file; set_policy: its policy.");
    visit("size", self.size, "scale_pool: instances.");
    visit("group", self.group, "reset_group: its name.");
    visit("text", self.text, "reload: a tree file; left out: the target reads its own again.");
  }
};

struct OutcomeInfo {
  std::string path = {};
  std::string text = {};
  bool changed = true;
  bool joined = false;
  std::string phase = {};
  std::uint64_t generation = 0;
  std::vector<std::string> plan = {};
  static void describe(auto& self, auto& visit) {
    visit("path", self.path, "What it was about; of a new child, its path.");
    visit("text", self.text, "What was done, or would be, as a sentence.");
    visit("changed", self.changed, "False: it was so already.");
    visit("joined", self.joined, "The same was under way.");
    visit("phase", self.phase, "Where the node stands afterwards.");
    visit("generation", self.generation, "Its attempt afterwards.");
    visit("plan", self.plan, "Steps of a dry run or a reload, in order.");
  }
};

struct CommandAnswer {
  std::string command_id = {};
  CommandStatus status = CommandStatus::completed;
  std::optional<OutcomeInfo> outcome = {};
  std::optional<ErrorBody> error = {};
  std::optional<bool> repeated = {};
  static void describe(auto& self, auto& visit) {
    visit("command_id", self.command_id, "Given by the client, or made here.");
    visit("status", self.status, "What came of it.");
    visit("outcome", self.outcome, "Of what is completed.");
    visit("error", self.error, "Of what was rejected by the tree.");
    visit("repeated", self.repeated, "True: the answer of the first time, nothing ran again.");
  }
};

}  // namespace espalier::ipc
