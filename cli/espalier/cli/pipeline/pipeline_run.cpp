#include "espalier/cli/console.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/pipeline/incoming.hpp"
#include "espalier/cli/pipeline/item_feeder.hpp"
#include "espalier/cli/pipeline/pipeline_command.hpp"
#include "espalier/cli/signal_watch.hpp"
#include "espalier/pipeline/declare/declared_pipeline.hpp"
#include "espalier/pipeline/declare/json_text.hpp"
#include "espalier/pipeline/show/display.hpp"
#include "espalier/pipeline/show/show.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace espalier::cli {
namespace pl = espalier::pipeline;
namespace sv = espalier::supervisor;
namespace {

void tell(sv::Severity severity, const std::string& text) {
  say(sv::LogFormat::text, severity, text);
}

int give_up(int code, const std::string& why) {
  tell(sv::Severity::error, why);
  return code;
}

pl::CheckpointCodec json_codec() {
  return {
      [](const pl::Value& value, const std::string&) { return pl::to_line(value.as<pl::Json>()); },
      [](const std::string& text, const std::string&) {
        return pl::Value::of<pl::Json>(pl::Json::parse(text));
      }};
}

/// Tells the store of everything but ends: an item has ended once its result is written, which is
/// later than the pipeline thinks.
class UntilWritten : public pl::ProgressSink {
 public:
  explicit UntilWritten(std::shared_ptr<pl::CheckpointStore> store) : store_(std::move(store)) {}
  void accepted(pl::NodeId node, const std::vector<pl::Item>& items, pl::ItemSeq first) override {
    store_->accepted(node, items, first);
  }
  void moved(pl::NodeId node, const pl::Item& item) override { store_->moved(node, item); }
  void ended(const pl::Item& item, pl::Outcome outcome) override {
    const bool refused = outcome == pl::Outcome::cancelled && !item.failure;
    if (refused) store_->ended(item, outcome);
  }

 private:
  std::shared_ptr<pl::CheckpointStore> store_;
};

pl::Outcome outcome_of(const pl::Item& item) {
  if (item.verdict == pl::Verdict::skip) return pl::Outcome::skipped;
  if (item.verdict != pl::Verdict::fail) return pl::Outcome::succeeded;
  const bool cancelled = item.failure && item.failure->kind == pl::Failure::Kind::cancelled;
  return cancelled ? pl::Outcome::cancelled : pl::Outcome::failed;
}

class PipelineSession {
 public:
  PipelineSession(pl::DeclaredPipeline declared, DeadLetterFile letters,
                  std::shared_ptr<pl::CheckpointStore> store)
      : spec_(std::move(declared.spec)),
        runner_(std::move(declared.plan), {}),
        letters_(std::move(letters)),
        store_(std::move(store)) {
    if (store_) runner_.keep_safe_with(std::make_shared<UntilWritten>(store_));
  }

  int run(ItemFeeder::Sources sources, const std::string& progress, SignalWatch& signals) {
    sources.id_field = spec_.id_field;
    sources.priority_field = spec_.priority_field;
    feeder_.emplace(runner_, store_.get(), letters_, std::move(sources));
    signals.start([this](int signal) { on_signal(signal); });
    open_display(progress);
    runner_.start();
    feeder_->start();
    while (auto chunk = runner_.take()) {
      write(*chunk);
      runner_.recycle(std::move(chunk));
    }
    const auto fed = feeder_->wait();
    signals.stop();
    const auto counts = runner_.counts();
    static_cast<void>(runner_.stop());
    show_.reset();
    return finish(fed, counts, progress);
  }

 private:
  void on_signal(int signal) {
    if (signal == SIGWINCH) return;
    if (signals_seen_++ == 0) {
      tell(sv::Severity::warning,
           "stopping: what is in work comes to its end, again to stop at once");
      interrupt("interrupted");
    } else {
      runner_.abort("interrupted");
    }
  }

  void interrupt(const std::string& reason) {
    interrupted_ = true;
    feeder_->stop();
    runner_.cancel(reason);
  }

  void open_display(const std::string& progress) {
    // Results on the same terminal would tear the picture.
    const bool is_free = is_screen(STDERR_FILENO) && isatty(STDOUT_FILENO) == 0;
    const auto word = progress != "auto" ? progress : is_free ? "progress" : "none";
    if (word == "none") return;
    auto display = pl::make_display(word);
    if (!display) return;
    pl::ShowOptions options;
    if (word == "full" || word == "detailed") {
      options.tracker = std::make_shared<pl::StatusTracker>();
      runner_.track(options.tracker);
    }
    show_.emplace([this] { return runner_.snapshot(); }, *display, options);
  }

  void write(pl::Chunk& chunk) {
    std::string results;
    for (auto& item : chunk.items) {
      if (outcome_of(item) == pl::Outcome::succeeded) add_result(item, results);
    }
    if (!out_broken_ && !write_all(STDOUT_FILENO, results)) {
      out_broken_ = true;
      tell(sv::Severity::error, "cannot write results: " + std::generic_category().message(errno));
      interrupt("results cannot be written");
    }
    for (auto& item : chunk.items)
      end(item);
  }

  void add_result(pl::Item& item, std::string& results) const {
    auto& value = item.value.as<pl::Json>();
    if (spec_.envelope) {
      pl::Json whole;
      whole["id"] = id_of(item);
      whole["value"] = std::move(value);
      results += pl::to_line(whole);
    } else {
      results += pl::to_line(value);
    }
    results += '\n';
  }

  void end(pl::Item& item) {
    const auto outcome = outcome_of(item);
    const bool is_lost = outcome == pl::Outcome::cancelled && !store_;
    if (outcome == pl::Outcome::failed || is_lost) {
      if (!letters_.add(letter_of(item)) && !std::exchange(letters_broken_, true)) {
        tell(sv::Severity::error, "cannot write dead letters to " + letters_.path() + ": " +
                                      std::generic_category().message(errno));
        interrupt("dead letters cannot be written");
      }
    }
    // What was not written is not over.
    const bool is_written = outcome == pl::Outcome::succeeded ? !out_broken_ : !letters_broken_;
    if (store_ && is_written) store_->ended(item, outcome);
  }

  int finish(const ItemFeeder::Report& fed, const pl::Counts& counts, const std::string& progress) {
    std::string problem = fed.problem;
    if (store_) {
      if (!interrupted_ && fed.problem.empty()) store_->finish();
      static_cast<void>(store_->flush());
      if (problem.empty()) problem = store_->problem();
      if (problem.empty() && spec_.checkpoint) store_->prune(spec_.checkpoint->keep, false);
    }
    if (progress != "none" && progress != "json") summarize(fed, counts);
    if (!problem.empty()) tell(sv::Severity::error, problem);
    if (fed.not_written || letters_broken_ || (store_ && !store_->problem().empty()))
      return exit_not_written;
    if (out_broken_ || !fed.problem.empty()) return exit_failed;
    if (signals_seen_ > 0) return exit_interrupted;
    return counts.failed + fed.unreadable > 0 ? exit_some_failed : exit_done;
  }

  void summarize(const ItemFeeder::Report& fed, const pl::Counts& counts) const {
    std::string text = spec_.name + ": " + std::to_string(counts.succeeded) + " succeeded, " +
                       std::to_string(counts.failed + fed.unreadable) + " failed, " +
                       std::to_string(counts.skipped) + " skipped";
    if (fed.resumed > 0) text += ", " + std::to_string(fed.resumed) + " of them resumed";
    if (fed.done_before > 0)
      text += "; " + std::to_string(fed.done_before) + " were known from before and not run again";
    if (counts.cancelled > 0) {
      text +=
          "; " + std::to_string(counts.cancelled) +
          (store_ ? " wait in the checkpoint for --resume" : " were not run and are dead letters");
    }
    if (interrupted_) text += "; input was read up to line " + std::to_string(fed.lines);
    if (letters_.count() > 0 && !letters_.path().empty())
      text += "; dead letters are in " + letters_.path();
    tell(sv::Severity::info, text);
  }

  pl::PipelineSpec spec_;
  pl::Runner runner_;
  DeadLetterFile letters_;
  std::shared_ptr<pl::CheckpointStore> store_;
  std::optional<ItemFeeder> feeder_;
  std::optional<pl::Show> show_;
  std::atomic<int> signals_seen_ = 0;
  std::atomic<bool> interrupted_ = false;
  bool out_broken_ = false;
  bool letters_broken_ = false;
};

bool is_same_file(const std::string& one, const std::string& other) {
  std::error_code unknown;
  return !one.empty() && !other.empty() && std::filesystem::equivalent(one, other, unknown);
}

/// What is wrong with the options among themselves; empty: nothing.
std::string contradiction(const PipelineRunOptions& options, const pl::PipelineSpec& spec) {
  if (options.resume && !spec.checkpoint)
    return "--resume needs a checkpoint; give --checkpoint PATH or write it into the file";
  if (!options.replay.empty() && options.input_given)
    return "--replay stands beside --input; run one after the other";
  if (is_same_file(options.replay, spec.dead_letters)) {
    return "failures of this run would go into " + options.replay +
           ", which is being replayed; name another file with --dead-letters";
  }
  return {};
}

expected<ItemFeeder::Sources, std::string> open_sources(const PipelineRunOptions& options) {
  ItemFeeder::Sources sources;
  sources.resume = options.resume;
  sources.are_dead_letters = !options.replay.empty();
  const bool nobody_types = options.input_given || isatty(STDIN_FILENO) == 0;
  if (options.resume && !nobody_types && options.replay.empty())
    return expected<ItemFeeder::Sources, std::string>(std::move(sources));
  auto lines = ItemLines::open(options.replay.empty() ? options.input : options.replay);
  if (!lines) return unexpected<std::string>(lines.error());
  sources.lines.emplace(std::move(*lines));
  return expected<ItemFeeder::Sources, std::string>(std::move(sources));
}

}  // namespace

int pipeline_run(const PipelineRunOptions& options) {
  auto declared = pl::load_pipeline_file(options.file, {});
  if (!declared) {
    std::cerr << render_problems(declared.error());
    return exit_config_invalid;
  }
  auto& spec = declared->spec;
  if (!options.dead_letters.empty()) spec.dead_letters = options.dead_letters;
  if (!options.checkpoint.empty()) {
    if (!spec.checkpoint) spec.checkpoint.emplace();
    spec.checkpoint->path = options.checkpoint;
  }
  if (const auto problem = contradiction(options, spec); !problem.empty())
    return give_up(exit_usage, problem);
  auto sources = open_sources(options);
  if (!sources) return give_up(exit_failed, sources.error());
  auto letters = DeadLetterFile::open(spec.dead_letters);
  if (!letters) return give_up(exit_not_written, letters.error());
  SignalWatch signals;
  std::shared_ptr<pl::CheckpointStore> store;
  if (spec.checkpoint) {
    auto opened =
        pl::CheckpointStore::open({spec.checkpoint->path, json_codec(), {}}, declared->plan);
    if (!opened) return give_up(exit_not_written, opened.error());
    store = *opened;
    if (const auto open = store->sizes().open; open > 0 && !options.resume) {
      return give_up(exit_refused, spec.checkpoint->path + " holds " + std::to_string(open) +
                                       " unfinished items; add --resume to go on with them, or "
                                       "use another checkpoint");
    }
  }
  PipelineSession session(std::move(*declared), std::move(*letters), std::move(store));
  return session.run(std::move(*sources), options.progress, signals);
}

}  // namespace espalier::cli
