#pragma once

#include "espalier/pipeline/build/any_pipeline.hpp"
#include "espalier/pipeline/build/pulled.hpp"
#include "espalier/pipeline/build/result.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace espalier::pipeline {

/// The results of a pipeline, one after the other, while it runs. The source is read only as fast
/// as results are taken; what it has given comes out although it blocks afterwards. The thread that
/// takes works along at stages whose items take 50 us or less, on the average of late, and nowhere
/// else, so that no slow task keeps results of others. When the stream goes before its end, the
/// rest is cancelled, and what is in work waited for. What the source throws comes out after the
/// last result.
///
///   for (auto& result : p.stream(urls))
///     if (result) use(*result);
template <class Out>
using Stream = Pulled<Result<Out>>;

namespace detail {

template <class Out, class Session>
Stream<Out> stream_of(std::shared_ptr<Session> session) {
  struct State {
    std::shared_ptr<Session> session;
    ChunkPtr chunk = {};
    std::size_t at = 0;
  };
  auto state = std::make_shared<State>(State{std::move(session), {}, 0});
  return Stream<Out>([state]() -> std::optional<Result<Out>> {
    while (!state->chunk || state->at == state->chunk->items.size()) {
      if (state->chunk) state->session->recycle(std::move(state->chunk));
      state->at = 0;
      state->chunk = state->session->next();
      if (!state->chunk) return std::nullopt;
    }
    return Result<Out>(std::move(state->chunk->items[state->at++]));
  });
}

}  // namespace detail
}  // namespace espalier::pipeline
