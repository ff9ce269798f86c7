#pragma once

#include "espalier/cli/remote/terminal.hpp"
#include "espalier/ipc/wire/messages.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::cli {

/// Something that an operator should know: what, the facts it rests on, and the command that looks
/// further.
struct Finding {
  enum class Rank : std::uint8_t { critical, warning, note };
  Rank rank = Rank::note;
  std::string code = {};  ///< For programs: crash_loop, near_limit, ...
  std::string path = {};
  std::string text = {};
  std::string evidence = {};
  std::string look = {};
};

struct DiagnoseFacts {
  ipc::Snapshot snapshot = {};
  std::vector<ipc::Json> events = {};  ///< The kept ones, oldest first.
  std::vector<ipc::AuditRecord> audit = {};
  std::vector<ipc::PipelineInfo> pipelines = {};
};

/// Worst first, and by path among equals. Pure; cost linear in nodes, events and records.
[[nodiscard]] std::vector<Finding> diagnose(const DiagnoseFacts& facts);

/// The part of it that is about pipelines; in their order.
[[nodiscard]] std::vector<Finding> diagnose_pipelines(
    const std::vector<ipc::PipelineInfo>& pipelines);

[[nodiscard]] std::string render_findings(const std::vector<Finding>& findings,
                                          const Terminal& terminal);
[[nodiscard]] ipc::Json json_of(const Finding& finding);
[[nodiscard]] const char* to_string(Finding::Rank x);

}  // namespace espalier::cli
