#pragma once

#include "espalier/pipeline/build/attempt.hpp"
#include "espalier/pipeline/build/wait_for.hpp"
#include "espalier/pipeline/run/runner.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::pipeline {

/// A pipeline without its types: what can be done with any. Copies are the same pipeline; when the
/// last one goes, what still runs is aborted and waited for. Thread-safe.
///
/// It is idle until `run` or `stream` (see Pipeline), which have their own beginning and end, or
/// until `start`. Then items can be fed until `drain`, `cancel` or `abort`; results gather, without
/// a bound, until they are taken (`keep_results = false` in the options: outcomes are only
/// counted). Afterwards it can begin again, with counts and sequence numbers from zero.
class AnyPipeline {
 public:
  AnyPipeline(Plan plan, RunnerOptions options, std::vector<detail::CallbackErrors> errors = {});

  [[nodiscard]] const std::string& name() const;
  /// What it is made of. Copy it to run it by a Runner of your own.
  [[nodiscard]] const Plan& plan() const;
  /// Its picture in the DOT language.
  [[nodiscard]] std::string dot() const;

  /// Takes items from now on. std::logic_error: it is running already.
  void start();
  [[nodiscard]] bool running() const;
  /// Takes no more items, waits until all have ended, and stops. False: not in time; then it goes
  /// on, and can be asked again. Empty: as long as it takes; zero: no waiting.
  bool drain(std::optional<Duration> timeout = {});
  /// What is not in work ends as cancelled; what is, ends as it ends, but goes no further. Returns
  /// at once; `drain` waits for the rest. Everybody who waits gets an answer.
  void cancel(const std::string& reason = "cancelled");
  /// As cancel, and what is in work ends as cancelled, too: its task is asked to stop, and what it
  /// still returns is thrown away.
  void abort(const std::string& reason = "aborted");

  /// From now on so many items are in work at the stage at once. std::invalid_argument: no such
  /// stage (the message lists all), or zero workers.
  void resize(const std::string& stage, std::uint32_t workers);

  [[nodiscard]] Counts counts() const;
  [[nodiscard]] std::vector<StageStats> stats() const { return snapshot().stages; }
  [[nodiscard]] PipelineSnapshot snapshot() const;
  /// "<stage>-W<n>", in the order of the stages.
  [[nodiscard]] std::vector<std::string> worker_names() const;
  /// Tells the sink what happens to items, in this run and later ones.
  void track(std::shared_ptr<TrackSink> sink);
  /// Exceptions that on_success, on_failure and skip_if have thrown so far.
  [[nodiscard]] std::uint64_t callback_errors() const;
  /// The Runner at present; another one may take its place when the next run begins.
  [[nodiscard]] std::shared_ptr<Runner> runner() const;

  struct Waited {
    std::vector<std::string> done = {};
    std::vector<std::string> not_done = {};
  };
  /// Waits for items by their ids, among those whose results have not been taken yet. Needs
  /// `keep_results`. Zero: no waiting.
  Waited wait(const std::vector<std::string>& ids, WaitFor what, Duration timeout);

 protected:
  using Taken = std::function<void(Chunk& chunk)>;

  /// Feeds what the source gives, hands all results to `taken`, and stops. Rethrows what the
  /// source threw, when everything has ended.
  void run_source(Source source, const Taken& taken);

  /// A run whose results are taken one chunk after the other. Leaving early cancels the rest.
  class Session;
  [[nodiscard]] std::shared_ptr<Session> open_session(Source source, std::optional<Order> order);

  Runner::FeedResult feed_items(NodeId node, std::vector<Item> items,
                                std::optional<Duration> timeout);
  void feed_source(NodeId node, Source source);
  /// The stage, if it takes items of this type. std::invalid_argument: it does not, or there is
  /// none of that name.
  [[nodiscard]] NodeId stage_for(const std::string& stage, const std::type_info& type) const;
  /// Those that have ended and were not taken yet.
  [[nodiscard]] std::vector<Item> take_results();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

class AnyPipeline::Session {
 public:
  Session(std::shared_ptr<State> state, std::shared_ptr<Runner> runner,
          std::shared_ptr<std::exception_ptr> error)
      : state_(std::move(state)), runner_(std::move(runner)), error_(std::move(error)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();
  /// Waits for results; null: there are no more. Then rethrows what the source threw, once.
  [[nodiscard]] ChunkPtr next();
  void recycle(ChunkPtr chunk) { runner_->recycle(std::move(chunk)); }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Runner> runner_;
  std::shared_ptr<std::exception_ptr> error_;
  bool over_ = false;
};

}  // namespace espalier::pipeline
