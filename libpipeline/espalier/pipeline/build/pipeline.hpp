#pragma once

#include "espalier/pipeline/build/any_pipeline.hpp"
#include "espalier/pipeline/build/input_order.hpp"
#include "espalier/pipeline/build/result.hpp"
#include "espalier/pipeline/build/source.hpp"
#include "espalier/pipeline/build/stream.hpp"

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

namespace espalier::pipeline {

struct StreamOptions {
  std::optional<Order> order = {};  ///< completion or input; empty: as in the pipeline's options.
};

struct FeedOptions {
  std::string id = {};  ///< Empty: its sequence number.
  std::int32_t priority = default_priority;
  Metadata metadata = {};
  /// How long to wait for room, if the pipeline's overflow policy is to wait. Empty: as long as it
  /// takes; zero: not at all.
  std::optional<Duration> timeout = {};
};

/// Runs items of type In through stages until they are Outs. Made by a Builder. A failed item does
/// not stop the others and is among the results. Copies are the same pipeline. Thread-safe; what
/// can be done besides is in AnyPipeline.
///
/// Ranges may hold values, or `Input<In>`s: values with an id, a priority and metadata.
template <class In, class Out>
class Pipeline : public AnyPipeline {
 public:
  using AnyPipeline::AnyPipeline;

  /// Runs all items through and gives their results in the order of the range. The calling thread
  /// helps. What reading the range throws comes out after the items before it have ended.
  /// std::logic_error: it is running already.
  template <class Range>
  std::vector<Result<Out>> run(Range&& range) {
    detail::InputOrder<Out> collected;
    run_source(detail::source_from_range<In>(std::forward<Range>(range)),
               [&](Chunk& chunk) { collected.add(chunk); });
    return std::move(collected).in_order();
  }
  std::vector<Result<Out>> run(std::initializer_list<In> items) {
    return run<const std::initializer_list<In>&>(items);
  }

  /// The same as a stream, of a range or of a function that returns std::optional<In>. A range
  /// that is an lvalue must outlive the stream.
  template <class From>
  [[nodiscard]] Stream<Out> stream(From&& from, StreamOptions options = {}) {
    return detail::stream_of<Out>(
        open_session(detail::source_from<In>(std::forward<From>(from)), options.order));
  }

  /// After `start`: one item for the first stage. The answer says whether it was accepted, and its
  /// sequence number. std::logic_error: not started.
  Runner::FeedResult feed(In value, FeedOptions options = {}) {
    return feed_one<In>(0, std::move(value), std::move(options));
  }
  /// All items of a range, waiting for room as needed. Returns how many were accepted.
  template <class Range>
  std::size_t feed_all(Range&& range) {
    const auto source = detail::source_from_range<In>(std::forward<Range>(range));
    std::size_t accepted = 0;
    for (bool more = true; more;) {
      Chunk chunk;
      more = source(chunk, feed_at_once);
      if (chunk.items.empty()) break;
      const auto given = chunk.items.size();
      const auto result = feed_items(0, std::move(chunk.items), {});
      accepted += result.count;
      if (result.fed == Runner::Fed::closed || (result.count < given && !rejects())) break;
    }
    return accepted;
  }
  /// Returns at once; the pipeline reads when it has room. A range (it is taken over), or a
  /// function that returns std::optional<In>, empty at the end.
  template <class From>
  void feed_async(From from) {
    feed_source(0, detail::source_from<In>(std::move(from)));
  }
  /// One item for another stage than the first, of the type that stage takes.
  /// std::invalid_argument: no such stage, or it takes another type.
  template <class T>
  Runner::FeedResult feed_to(const std::string& stage, T value, FeedOptions options = {}) {
    return feed_one<T>(stage_for(stage, typeid(T)), std::move(value), std::move(options));
  }

  /// After `start`: the results that have come since the last call.
  [[nodiscard]] std::vector<Result<Out>> results() {
    std::vector<Result<Out>> all;
    for (Item& item : take_results())
      all.emplace_back(std::move(item));
    return all;
  }

 private:
  static constexpr std::size_t feed_at_once = 64;

  [[nodiscard]] bool rejects() const { return plan().options.overflow == Overflow::reject; }

  template <class T>
  Runner::FeedResult feed_one(NodeId node, T value, FeedOptions options) {
    std::vector<Item> items;
    items.push_back(detail::make_item<T>(std::move(value)));
    detail::apply_options(items.front(),
                          {std::move(options.id), options.priority, std::move(options.metadata)});
    return feed_items(node, std::move(items), options.timeout);
  }
};

}  // namespace espalier::pipeline
