#include "espalier/cli/remote/table.hpp"
#include "espalier/cli/remote/views.hpp"
#include "espalier/cli/text_cells.hpp"

#include <cstdio>
#include <string>

namespace espalier::cli {
namespace {

std::string count(std::uint64_t n) {
  return std::to_string(n);
}

std::string ms(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.2f" : "%.0f", value);
  return text;
}

}  // namespace

std::string pipeline_counts(const ipc::PipelineInfo& pipe) {
  std::string text = count(pipe.accepted - pipe.in_flight) + " of " + count(pipe.accepted) +
                     " ended, " + count(pipe.succeeded) + " succeeded";
  const auto add = [&](std::uint64_t n, const char* word) {
    if (n > 0) text += ", " + count(n) + word;
  };
  add(pipe.failed, " failed");
  add(pipe.skipped, " skipped");
  add(pipe.cancelled, " cancelled");
  add(pipe.in_flight, " in flight");
  add(pipe.rejected, " rejected");
  return text;
}

std::string render_stages(const ipc::PipelineInfo& pipe, const Terminal& terminal,
                          const std::string& indent) {
  Table table({{"STAGE"},
               {"BUSY", true},
               {"QUEUED", true},
               {"RETRYING", true},
               {"DONE", true},
               {"FAILED", true},
               {"WAIT ms", true},
               {"WORK ms", true},
               {"BREAKER"}});
  for (const auto& stage : pipe.stages) {
    table.add({{stage.name},
               {count(stage.busy) + "/" + count(stage.workers)},
               {count(stage.queued) + "/" + count(stage.capacity)},
               {count(stage.retrying)},
               {count(stage.completed)},
               {count(stage.failed), stage.failed > 0 ? Ink::bad : Ink::plain},
               {ms(stage.queue_ms)},
               {ms(stage.service_ms)},
               {stage.breaker.value_or("")}});
  }
  return table.render(terminal, indent);
}

std::string render_pipelines(const ipc::PipelinesResult& all, const Terminal& terminal) {
  if (all.pipelines.empty()) return "no pipeline runs in this tree\n";
  std::string text;
  for (const auto& pipe : all.pipelines) {
    if (!text.empty()) text += '\n';
    const auto summary = pipe.path + " (" + pipe.name + "): " + pipeline_counts(pipe);
    text += cut(escape_controls(summary), terminal.width) + '\n';
    text += render_stages(pipe, terminal, "  ");
  }
  return text;
}

}  // namespace espalier::cli
