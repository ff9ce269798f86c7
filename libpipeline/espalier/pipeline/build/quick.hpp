#pragma once

#include "espalier/pipeline/build/builder.hpp"

#include <cstdint>
#include <iterator>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace espalier::pipeline {

struct QuickOptions {
  std::uint32_t workers = 5;                        ///< Of each stage.
  std::uint32_t retries = 3;                        ///< Attempts after the first one.
  Duration pause = std::chrono::milliseconds{100};  ///< Between attempts.
};

namespace detail {

template <std::size_t K, class In, class Now, class... Fs>
auto quick_stages(const Builder<In, Now>& builder, std::tuple<Task<Fs>...>& tasks,
                  const QuickOptions& options) {
  if constexpr (K == sizeof...(Fs)) {
    return builder;
  } else {
    auto& task = std::get<K>(tasks);
    using F = decltype(task.function);
    const auto name = task.name.empty() ? "task" + std::to_string(K + 1) : task.name;
    StageConfig<Now, OutOf<Now, F>> config;
    config.workers = options.workers;
    config.retry = fixed(options.retries + 1, options.pause);
    return quick_stages<K + 1>(builder.stage(name, std::move(task.function), std::move(config)),
                               tasks, options);
  }
}

}  // namespace detail

/// Runs a range through a stage for each of the tasks, and that is all:
///
///   auto results = pipeline::quick(urls, tasks(fetch, parse), {.workers = 5, .retries = 3});
template <class Range, class F>
auto quick(Range&& items, F&& functions, const QuickOptions& options = {}) {
  using In = std::remove_cvref_t<decltype(*std::begin(items))>;
  auto list = detail::TasksFrom<F>::make(std::forward<F>(functions));
  return detail::quick_stages<0>(from<In>(), list.all, options)
      .build({.name = "quick"})
      .run(std::forward<Range>(items));
}

}  // namespace espalier::pipeline
