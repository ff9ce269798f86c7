#include "espalier/cli/remote/diagnose.hpp"
#include "espalier/cli/remote/words.hpp"

#include <nlohmann/json.hpp>

namespace espalier::cli {
namespace {

using ipc::PipelineInfo;
using ipc::PipelineStageInfo;
using Rank = Finding::Rank;

constexpr std::uint64_t many_failures = 10;

// Only the stage that makes others wait: those before it are full because of it.
bool holds_back(const PipelineStageInfo& stage) {
  return stage.capacity > 0 && stage.queued + stage.in_work >= stage.capacity &&
         stage.busy >= stage.workers && stage.in_work > 0;
}

bool mostly_fails(const PipelineStageInfo& stage) {
  return stage.failed >= many_failures && stage.failed > stage.completed;
}

class StageRules {
 public:
  StageRules(const PipelineInfo& pipeline, std::vector<Finding>& found)
      : pipeline_(pipeline), found_(found) {}

  void check(const PipelineStageInfo& stage) {
    if (stage.breaker.value_or("closed") == "open") {
      add(Rank::warning, "breaker_open", stage, "has an open circuit breaker and works on nothing",
          count_of(stage.failed, "item") + " failed there, " + std::to_string(stage.retrying) +
              " wait for their next attempt");
    } else if (mostly_fails(stage)) {
      add(Rank::warning, "items_fail", stage, "fails most of its items",
          std::to_string(stage.failed) + " failed, " + std::to_string(stage.completed) +
              " went on");
    }
  }

  /// The last of them: what stands before it waits for it.
  void check_bottleneck() {
    const PipelineStageInfo* last = nullptr;
    for (const PipelineStageInfo& stage : pipeline_.stages) {
      if (holds_back(stage)) last = &stage;
    }
    if (last == nullptr) return;
    add(Rank::note, "bottleneck", *last, "is full and holds back what comes before it",
        std::to_string(last->queued + last->in_work) + " of " + std::to_string(last->capacity) +
            " items, all " + count_of(last->workers, "worker") + " busy for " +
            short_span(std::chrono::milliseconds{static_cast<std::int64_t>(last->service_ms)}) +
            " an item");
  }

 private:
  void add(Rank rank, const char* code, const PipelineStageInfo& stage, const char* what,
           std::string evidence) {
    found_.push_back({rank, code, pipeline_.path, "stage " + stage.name + " " + what,
                      std::move(evidence), "espalier pipelines " + pipeline_.path});
  }

  const PipelineInfo& pipeline_;
  std::vector<Finding>& found_;
};

}  // namespace

std::vector<Finding> diagnose_pipelines(const std::vector<PipelineInfo>& pipelines) {
  std::vector<Finding> found;
  for (const PipelineInfo& pipeline : pipelines) {
    StageRules rules(pipeline, found);
    for (const PipelineStageInfo& stage : pipeline.stages)
      rules.check(stage);
    rules.check_bottleneck();
  }
  return found;
}

}  // namespace espalier::cli
