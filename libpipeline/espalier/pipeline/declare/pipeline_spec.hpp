#pragma once

#include "espalier/pipeline/core/options.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// What a declared pipeline moves. Fields keep the order in which they were written.
using Json = nlohmann::ordered_json;

/// A question to one item. Without any comparison: is the field there?
struct ConditionSpec {
  /// "size", "user.name", the JSON pointer "/user/name", or "." for the whole item.
  std::string field = {};
  std::vector<std::string> one_of = {};  ///< As JSON; any of them.
  std::optional<double> above = {};
  std::optional<double> below = {};
  bool negate = false;
};

/// Where a split sends the items that answer its condition with yes.
struct RouteSpec {
  ConditionSpec when = {};
  std::string to = {};
};

enum class CommandMode : std::uint8_t {
  per_item,  ///< A process for each item.
  lines,     ///< A process for each worker; it answers each line with a line.
};

/// What becomes of the output of a command.
enum class ResultForm : std::uint8_t {
  json,   ///< It is the item from now on.
  text,   ///< The same, as a text.
  input,  ///< It is not looked at; the item goes on as it came.
  none,   ///< It is not looked at; the item ends here, as skipped.
};

struct StageSpec {
  std::string name = {};
  /// `command` and its surroundings; `stop_signal` and the exit codes for success are used.
  supervisor::ProcessSpec process = {};
  CommandMode mode = CommandMode::per_item;
  ResultForm result = ResultForm::json;
  std::string error_field = {};  ///< An answer with this field is a failure, which it explains.
  Duration kill_after = std::chrono::seconds{2};  ///< From the stop signal to SIGKILL.
  std::string task = {};
  std::map<std::string, std::string> params = {};  ///< For the task.
  std::optional<ConditionSpec> filter = {};        ///< Others end as skipped.
  std::optional<BatchOptions> batch = {};
  std::optional<WindowOptions> window = {};
  std::vector<RouteSpec> split = {};
  std::vector<std::string> broadcast = {};  ///< Stages that each get a copy.
  bool unpack = false;                      ///< Each element of a list becomes an item.
  std::optional<ConditionSpec> skip_if = {};
  std::string key = {};   ///< A field, for Order::by_key.
  std::string next = {};  ///< Empty: the stage below; "output": leaves.
  std::vector<int> no_retry_exit_codes = {};
  StageOptions options = {};
};

struct CheckpointSpec {
  std::string path = {};
  Duration keep = std::chrono::hours{24 * 7};  ///< Ended items, so that their keys are known.
};

/// The pipeline a file describes.
struct PipelineSpec {
  std::string name = "pipeline";
  std::vector<StageSpec> stages = {};
  Order output_order = Order::completion;
  bool envelope = false;            ///< Results are written with the id of their item.
  std::string id_field = {};        ///< Empty: items are known by their line.
  std::string priority_field = {};  ///< Empty: all are equally urgent. Whoever feeds reads it.
  Duration item_deadline = {};      ///< Zero: none.
  std::string dead_letters = {};
  std::optional<CheckpointSpec> checkpoint = {};
};

}  // namespace espalier::pipeline
