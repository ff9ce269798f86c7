#pragma once

#include "espalier/pipeline/build/draft.hpp"
#include "espalier/pipeline/build/pipeline.hpp"
#include "espalier/pipeline/build/shape_kernels.hpp"
#include "espalier/pipeline/build/stage_of.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// A pipeline that takes `In`, as far as it is described, up to a place where it has a `Now`.
///
///   auto p = pipeline::from<Url>()
///                .stage("fetch", fetch, {.workers = 8, .retry = exponential(3, 100ms)})
///                .stage("parse", tasks(parse, check))
///                .build({.name = "crawler"});
///
/// Every call returns a new builder and leaves this one as it is, so that a beginning can be used
/// several times. Types that do not fit are refused by the compiler; everything else that can be
/// wrong by `build`, all at once.
///
/// A task takes `const T&` (or `T`, or the elements of a tuple) and perhaps a `TaskContext&`, and
/// returns what the next one takes, or an espalier::expected of it. Several workers call the same
/// task object at the same time.
template <class In, class Now>
class Builder {
  static_assert(std::is_object_v<Now> && std::is_move_constructible_v<Now>,
                "what goes from stage to stage must be an object that can be moved");

 public:
  using input_type = In;
  using output_type = Now;

  /// Each item is worked on by a task, or by several: `tasks(a, b, c)`.
  template <class F>
  [[nodiscard]] auto stage(const std::string& name, F&& tasks,
                           StageConfig<Now, detail::OutOf<Now, F>> config = {}) const {
    using Out = detail::OutOf<Now, F>;
    static_assert(!std::is_same_v<Out, Nothing>,
                  "a stage's last task must return something; if nothing comes behind, use sink()");
    return with<detail::Shape::map, Out, Out>(name, std::forward<F>(tasks), std::move(config));
  }

  /// Items for which it is false end here, as skipped.
  template <class F>
  [[nodiscard]] auto filter(const std::string& name, F&& predicate,
                            StageConfig<Now, Now> config = {}) const {
    static_assert(std::is_constructible_v<bool, detail::OutOf<Now, F>>,
                  "a filter's function returns bool");
    return with<detail::Shape::filter, Now, Now>(name, std::forward<F>(predicate),
                                                 std::move(config));
  }

  /// The function returns a range; each element goes on as an item of its own, with the id and
  /// metadata of the one it came from. None at all: the item ends as skipped.
  template <class F>
  [[nodiscard]] auto flat_map(
      const std::string& name, F&& function,
      StageConfig<Now, detail::ElementOf<detail::OutOf<Now, F>>> config = {}) const {
    using Out = detail::ElementOf<detail::OutOf<Now, F>>;
    return with<detail::Shape::expand, Out, Out>(name, std::forward<F>(function),
                                                 std::move(config));
  }

  /// The end: what the function returns is thrown away (an error in an expected is not).
  template <class F>
  [[nodiscard]] auto sink(const std::string& name, F&& tasks,
                          StageConfig<Now, Nothing> config = {}) const {
    return with<detail::Shape::sink, Nothing, Nothing>(name, std::forward<F>(tasks),
                                                       std::move(config));
  }

  /// Gathers items into a std::vector, which goes on as one item.
  [[nodiscard]] Builder<In, std::vector<Now>> batch(const std::string& name,
                                                    BatchConfig<Now> config) const {
    auto node = detail::gather_node<Now>(name, draft_.callback_errors());
    node.kind = NodeKind::batch;
    node.batch = {config.count, config.time, config.bytes};
    node.options.capacity = config.capacity;
    if (config.capacity == 0 && config.count > 0) node.options.capacity = 2 * config.count;
    if (config.size_of)
      node.size_of = [size_of = std::move(config.size_of)](const Value& value) {
        return size_of(value.as<Now>());
      };
    return added<std::vector<Now>>(std::move(node));
  }

  /// Gathers items into overlapping or neighbouring runs, each a std::vector.
  [[nodiscard]] Builder<In, std::vector<Now>> window(const std::string& name,
                                                     WindowOptions options) const {
    static_assert(can_copy<Now>,
                  "an item can be in several windows, so its "
                  "type must be copyable");
    auto node = detail::gather_node<Now>(name, draft_.callback_errors());
    node.kind = NodeKind::window;
    node.window = options;
    if (options.size > 0) node.options.capacity = 2 * options.size;
    return added<std::vector<Now>>(std::move(node));
  }

  /// At most so many items per second go on; `burst` at once after a pause.
  [[nodiscard]] Builder throttle(const std::string& name, double per_second,
                                 double burst = 1) const {
    auto node = detail::pass_node<Now>(name, draft_.callback_errors());
    node.options.rate = {per_second, burst};
    return added<Now>(std::move(node));
  }

  /// `chooser` says for each item which branch it takes, from 0. A branch is
  /// `from<Now>().stage(...)...`; all give the same type, or end in a sink. Their ends are joined.
  template <class F, class... Branches>
  [[nodiscard]] auto split(const std::string& name, F&& chooser, Branches... branches) const {
    using Joined = detail::JoinOf<Now, Branches...>;
    auto tasks = detail::TasksFrom<F>::make(std::forward<F>(chooser));
    auto draft = draft_;
    auto node = detail::task_node<detail::Shape::route, Now, Now>(
        draft, name, std::move(tasks), StageConfig<Now, Now>{}, sizeof...(Branches));
    draft.add_branches(std::move(node), detail::branches_of<Joined>(std::move(branches)...));
    return Builder<In, Joined>(std::move(draft));
  }

  /// A copy of each item takes every branch. Their ends are joined, so one item fed gives several
  /// results, all with its id and sequence number.
  template <class... Branches>
  [[nodiscard]] auto broadcast(const std::string& name, Branches... branches) const {
    using Joined = detail::JoinOf<Now, Branches...>;
    static_assert(can_copy<Now>, "a broadcast makes copies, so the type must be copyable");
    auto draft = draft_;
    auto node = detail::copy_node<Now>(name, draft.callback_errors(), sizeof...(Branches));
    draft.add_branches(std::move(node), detail::branches_of<Joined>(std::move(branches)...));
    return Builder<In, Joined>(std::move(draft));
  }

  /// Another pipeline as a part of this one; its stages are called "name/stage".
  template <class Out>
  [[nodiscard]] Builder<In, Out> nested(const std::string& name,
                                        const Builder<Now, Out>& other) const {
    auto draft = draft_;
    draft.nest(name, other.draft_);
    return Builder<In, Out>(std::move(draft));
  }

  /// std::invalid_argument with all problems, one a line.
  [[nodiscard]] Pipeline<In, Now> build(PipelineOptions options = {},
                                        RunnerOptions threads = {}) const {
    const auto name = options.name;
    auto built = try_build(std::move(options), std::move(threads));
    if (!built) throw std::invalid_argument(detail::to_text(name, built.error()));
    return std::move(*built);
  }
  [[nodiscard]] expected<Pipeline<In, Now>, std::vector<PlanError>> try_build(
      PipelineOptions options = {}, RunnerOptions threads = {}) const {
    auto plan = draft_.finish(std::move(options));
    if (!plan) return unexpected<std::vector<PlanError>>(std::move(plan.error()));
    return Pipeline<In, Now>(std::move(*plan), std::move(threads), draft_.all_callback_errors());
  }

 private:
  template <class A, class B>
  friend class Builder;
  template <class T>
  friend Builder<T, T> from();
  template <class Joined, class... Branches>
  friend std::vector<detail::Draft::Branch> detail::branches_of(Branches&&... branches);

  explicit Builder(detail::Draft draft) : draft_(std::move(draft)) {}

  template <detail::Shape shape, class ConfigOut, class Next, class F>
  [[nodiscard]] Builder<In, Next> with(const std::string& name, F&& tasks,
                                       StageConfig<Now, ConfigOut> config) const {
    static_assert(!std::is_same_v<Now, Nothing>, "nothing can come behind a sink");
    auto draft = draft_;
    auto node = detail::task_node<shape, Now, ConfigOut>(
        draft, name, detail::TasksFrom<F>::make(std::forward<F>(tasks)), std::move(config), 1);
    draft.add(std::move(node));
    return Builder<In, Next>(std::move(draft));
  }

  template <class Next>
  [[nodiscard]] Builder<In, Next> added(NodePlan node) const {
    auto draft = draft_;
    draft.add(std::move(node));
    return Builder<In, Next>(std::move(draft));
  }

  detail::Draft draft_ = {};
};

/// Where every pipeline begins, and every branch of one.
template <class In>
[[nodiscard]] Builder<In, In> from() {
  return Builder<In, In>(detail::Draft{});
}

}  // namespace espalier::pipeline
