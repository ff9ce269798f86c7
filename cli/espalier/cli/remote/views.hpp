#pragma once

#include "espalier/cli/remote/terminal.hpp"
#include "espalier/ipc/wire/messages.hpp"

#include <string>
#include <vector>

namespace espalier::cli {

/// Pure: what was asked of a target becomes text. No line is wider than the terminal but where a
/// single word is.

/// One node a line, drawn as a tree: name, phase, and what is worth knowing of it.
[[nodiscard]] std::string render_tree(const ipc::Snapshot& snapshot, const Terminal& terminal);

/// `filter` is a phase, a lifecycle or an intent, in the words of the wire; empty: all. `sort` is
/// path, restarts (most first), since (newest first) or state (worst first).
[[nodiscard]] std::vector<ipc::NodeInfo> arrange(std::vector<ipc::NodeInfo> nodes,
                                                 const std::string& sort,
                                                 const std::string& filter);
[[nodiscard]] std::string render_list(const std::vector<ipc::NodeInfo>& nodes, ipc::Timestamp now,
                                      const Terminal& terminal);

/// Every fact about one node.
[[nodiscard]] std::string render_node(const ipc::NodeInfo& node, ipc::Timestamp now,
                                      const Terminal& terminal);

/// The sentence, the rules with their counters, the chain of causes.
[[nodiscard]] std::string render_why(const ipc::WhyResult& why, const Terminal& terminal);

/// "40 of 50 ended, 38 succeeded, 2 failed, 10 in flight"
[[nodiscard]] std::string pipeline_counts(const ipc::PipelineInfo& pipe);
/// A line for each of its stages.
[[nodiscard]] std::string render_stages(const ipc::PipelineInfo& pipe, const Terminal& terminal,
                                        const std::string& indent);
/// How each pipeline fares, stage by stage.
[[nodiscard]] std::string render_pipelines(const ipc::PipelinesResult& all,
                                           const Terminal& terminal);

/// "up: 24 of 25 children ready, since 3h12m, 4 restarts"
[[nodiscard]] std::string health_line(const ipc::HealthResult& health, ipc::Timestamp now);

}  // namespace espalier::cli
