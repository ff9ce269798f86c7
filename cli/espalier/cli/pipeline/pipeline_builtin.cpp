#include "espalier/cli/pipeline/pipeline_builtin.hpp"

#include "espalier/cli/params.hpp"
#include "espalier/cli/pipeline/incoming.hpp"
#include "espalier/pipeline/declare/declared_pipeline.hpp"
#include "espalier/pipeline/declare/json_text.hpp"
#include "espalier/pipeline/supervised/pipeline_child.hpp"

#include <fcntl.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <stop_token>
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

pipeline::DeclaredPipeline pipeline_from(const std::string& file) {
  auto loaded = pipeline::load_pipeline_file(file, {});
  if (loaded) return std::move(*loaded);
  std::string text;
  for (const auto& problem : loaded.error())
    text += (text.empty() ? "" : "; ") + problem.to_string();
  throw ChildFailure(FailureCategory::fatal_config, text);
}

// Where failed items go; without a path, nowhere. The child fails when they cannot be written.
class Letters {
 public:
  explicit Letters(DeadLetterFile file) : file_(std::move(file)) {}

  [[nodiscard]] bool wanted() const { return !file_.path().empty(); }
  void add(const DeadLetter& letter) {
    if (!file_.add(letter)) broken_ = true;
  }
  void check() const {
    if (broken_) throw std::runtime_error("cannot write dead letters to " + file_.path());
  }

 private:
  DeadLetterFile file_;
  std::atomic<bool> broken_ = false;
};

std::shared_ptr<Letters> letters_to(const std::string& path) {
  auto opened = DeadLetterFile::open(path);
  if (!opened) throw ChildFailure(FailureCategory::fatal_config, opened.error());
  return std::make_shared<Letters>(std::move(*opened));
}

void keep_failures(pipeline::Plan& plan, const std::shared_ptr<Letters>& letters) {
  if (!letters->wanted()) return;
  for (auto& node : plan.nodes)
    node.on_failure = [letters](const pipeline::Item& item) { letters->add(letter_of(item)); };
}

// A line that is no item becomes a dead letter. Where these are not kept it ends the input: the
// child fails, and says which line it was.
class LineSource {
 public:
  LineSource(ItemLines lines, std::string path, const pipeline::DeclaredPipeline& declared,
             std::shared_ptr<Letters> letters)
      : lines_(std::move(lines)),
        path_(std::move(path)),
        id_field_(declared.spec.id_field),
        priority_field_(declared.spec.priority_field),
        stage_(declared.plan.nodes.front().name),
        letters_(std::move(letters)) {}

  void stop() { lines_.stop(); }
  bool pull(pipeline::Chunk& chunk, std::size_t most) {
    letters_->check();
    const auto read = lines_.next(most);
    for (const auto& line : read) {
      auto item = read_incoming(line, id_field_);
      if (item)
        chunk.items.push_back(make_item(std::move(*item), stage_, priority_field_));
      else
        refuse(line, item.error());
    }
    return !read.empty();
  }

 private:
  void refuse(const ItemLines::Line& line, const std::string& why) {
    if (!letters_->wanted()) throw ChildFailure(FailureCategory::fatal_config, path_ + ": " + why);
    letters_->add(letter_of_line(line, why));
    letters_->check();
  }

  ItemLines lines_;
  std::string path_;
  std::string id_field_;
  std::string priority_field_;
  std::string stage_;
  std::shared_ptr<Letters> letters_;
};

// A stop of the child ends a wait for the next line.
pipeline::Source source_of(std::shared_ptr<LineSource> lines, std::stop_token stop) {
  const auto stopping = [lines] { lines->stop(); };
  auto on_stop =
      std::make_shared<std::stop_callback<decltype(stopping)>>(std::move(stop), stopping);
  return [lines = std::move(lines), on_stop = std::move(on_stop)](
             pipeline::Chunk& chunk, std::size_t most) { return lines->pull(chunk, most); };
}

pipeline::AnyPipeline make(supervisor::ChildContext& context, const std::filesystem::path& folder) {
  const Params params("builtin.pipeline", context.params(),
                      {"file", "input", "output", "dead_letters"});
  const auto path = [&](const char* name) {
    const auto text = params.text(name, "");
    return text.empty() ? text : (folder / text).string();
  };
  auto declared = pipeline_from(path("file"));
  const auto letters =
      letters_to(params.has("dead_letters") ? path("dead_letters") : declared.spec.dead_letters);
  const auto input = path("input");
  auto opened = ItemLines::open(input);
  if (!opened) throw ChildFailure(FailureCategory::fatal_config, opened.error());
  auto lines = std::make_shared<LineSource>(std::move(*opened), input, declared, letters);
  auto& plan = declared.plan;
  plan.options.keep_results = false;
  if (params.has("output")) end_in_a_file(plan, path("output"));
  keep_failures(plan, letters);
  pipeline::AnyPipeline pipe(std::move(plan), {});
  pipe.start();
  pipe.runner()->feed_from(0, source_of(std::move(lines), context.stop_token()));
  return pipe;
}

}  // namespace

supervisor::PipelineFactory pipeline_builtin(std::shared_ptr<pipeline::PipelineBoard> board,
                                             const std::string& folder) {
  const auto make_here = [folder](supervisor::ChildContext& context) {
    return make(context, folder);
  };
  return pipeline::as_child(make_here, pipeline::Ends::with_its_sources, std::move(board));
}

}  // namespace espalier::cli
