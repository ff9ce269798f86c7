#include "espalier/cli/pipeline/pipeline_builtin.hpp"

#include "espalier/cli/params.hpp"
#include "espalier/cli/pipeline/dead_letters.hpp"
#include "espalier/cli/pipeline/item_lines.hpp"
#include "espalier/pipeline/declare/declared_pipeline.hpp"
#include "espalier/pipeline/declare/json_text.hpp"
#include "espalier/pipeline/supervised/pipeline_child.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace espalier::cli {
namespace {

using pipeline::Json;
using supervisor::ChildFailure;
using supervisor::FailureCategory;

// The last stage: writes results as lines, each item's before it counts as succeeded.
class LineWriter final : public pipeline::Kernel {
 public:
  explicit LineWriter(const std::string& path)
      : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    if (fd_.get() < 0) throw std::runtime_error(path + ": " + std::strerror(errno));
  }

  bool run(std::span<pipeline::Item> items, pipeline::RunContext&) override {
    std::string lines;
    for (auto& item : items)
      lines += pipeline::to_line(item.value.as<Json>()) + '\n';
    const std::lock_guard lock(mutex_);
    const bool written = write_all(fd_.get(), lines);
    for (auto& item : items) {
      item.verdict = written ? pipeline::Verdict::pass : pipeline::Verdict::fail;
      if (written) continue;
      item.failure = std::make_unique<pipeline::Failure>();
      item.failure->message = "cannot write " + path_;
      item.failure->task = tasks_[0];
    }
    return written;
  }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 private:
  std::string path_;
  supervisor::UniqueFd fd_;
  std::mutex mutex_;
  std::array<std::string, 1> tasks_{"write"};
};

void end_in_a_file(pipeline::Plan& plan, const std::string& path) {
  const auto last = static_cast<pipeline::NodeId>(plan.nodes.size());
  for (auto& node : plan.nodes) {
    for (auto& next : node.next) {
      if (next == pipeline::output_node) next = last;
    }
  }
  pipeline::NodePlan writer;
  writer.name = "write to " + path;
  writer.kernel = std::make_shared<LineWriter>(path);
  writer.next = {pipeline::output_node};
  writer.input = typeid(Json);
  writer.input_name = "JSON";
  plan.nodes.push_back(std::move(writer));
}

pipeline::Plan plan_from(const std::string& file) {
  auto loaded = pipeline::load_pipeline_file(file, {});
  if (loaded) return std::move(loaded->plan);
  std::string text;
  for (const auto& problem : loaded.error())
    text += (text.empty() ? "" : "; ") + problem.to_string();
  throw ChildFailure(FailureCategory::fatal_config, text);
}

// A line that is no JSON ends the input: the child fails, and says which line it was.
pipeline::Source lines_of(const std::string& path) {
  auto opened = ItemLines::open(path);
  if (!opened) throw ChildFailure(FailureCategory::fatal_config, opened.error());
  auto lines = std::make_shared<ItemLines>(std::move(*opened));
  return [lines, path](pipeline::Chunk& chunk, std::size_t most) {
    const auto read = lines->next(most);
    for (const auto& line : read) {
      auto value = pipeline::parse_json(line.text);
      if (!value || line.too_long) {
        throw ChildFailure(FailureCategory::fatal_config,
                           path + ":" + std::to_string(line.number) + ": " +
                               (line.too_long ? "the line is too long" : value.error()));
      }
      pipeline::Item item;
      item.value = pipeline::Value::of<Json>(std::move(*value));
      chunk.items.push_back(std::move(item));
    }
    return !read.empty();
  };
}

pipeline::AnyPipeline make(supervisor::ChildContext& context) {
  const Params params("builtin.pipeline", context.params(), {"file", "input", "output"});
  auto plan = plan_from(params.text("file", ""));
  plan.options.keep_results = false;
  if (params.has("output")) end_in_a_file(plan, params.text("output", ""));
  auto source = lines_of(params.text("input", ""));
  pipeline::AnyPipeline pipe(std::move(plan), {});
  pipe.start();
  pipe.runner()->feed_from(0, std::move(source));
  return pipe;
}

}  // namespace

supervisor::PipelineFactory pipeline_builtin(std::shared_ptr<pipeline::PipelineBoard> board) {
  return pipeline::as_child(make, pipeline::Ends::with_its_sources, std::move(board));
}

}  // namespace espalier::cli
