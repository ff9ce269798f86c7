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

// "/ingest (users): 40 of 50 ended, 38 succeeded, 2 failed, 10 in flight"
std::string summary(const ipc::PipelineInfo& pipe) {
  std::string text = pipe.path + " (" + pipe.name + "): " + count(pipe.accepted - pipe.in_flight) +
                     " of " + count(pipe.accepted) + " ended, " + count(pipe.succeeded) +
                     " succeeded";
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

Table stages(const ipc::PipelineInfo& pipe) {
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
  return table;
}

}  // namespace

std::string render_pipelines(const ipc::PipelinesResult& all, const Terminal& terminal) {
  if (all.pipelines.empty()) return "no pipeline runs in this tree\n";
  std::string text;
  for (const auto& pipe : all.pipelines) {
    if (!text.empty()) text += '\n';
    text += cut(escape_controls(summary(pipe)), terminal.width) + '\n';
    text += stages(pipe).render(terminal, "  ");
  }
  return text;
}

}  // namespace espalier::cli
