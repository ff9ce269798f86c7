#pragma once

#include "espalier/pipeline/core/item.hpp"
#include "espalier/pipeline/run/runner.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// What can be said of a single item when it is fed.
struct ItemOptions {
  std::string id = {};                       ///< Empty: its sequence number. Need not be unique.
  std::int32_t priority = default_priority;  ///< Lower goes first.
  std::vector<std::pair<std::string, std::string>> metadata = {};
};

/// A value with options of its own; ranges of them can be fed, too.
template <class T>
struct Input {
  T value;
  ItemOptions options = {};
};

namespace detail {

template <class T>
inline constexpr bool is_input = false;
template <class T>
inline constexpr bool is_input<Input<T>> = true;

void apply_options(Item& item, ItemOptions options);

template <class In, class V>
Item make_item(V&& value) {
  Item item;
  if constexpr (is_input<std::remove_cvref_t<V>>) {
    item.value = Value::of<In>(std::forward<V>(value).value);
    apply_options(item, std::forward<V>(value).options);
  } else {
    item.value = Value::of<In>(std::forward<V>(value));
  }
  return item;
}

/// A range that is being read: holds one that was given away, refers to another.
template <class Range>
struct Reading {
  using Held = std::conditional_t<std::is_lvalue_reference_v<Range>,
                                  std::remove_reference_t<Range>*, std::remove_cvref_t<Range>>;
  explicit Reading(Range&& range) : held(hold(std::forward<Range>(range))) {}

  auto& range() {
    if constexpr (std::is_pointer_v<Held>)
      return *held;
    else
      return held;
  }
  static Held hold(Range&& range) {
    if constexpr (std::is_pointer_v<Held>)
      return &range;
    else
      return std::forward<Range>(range);
  }
  /// Elements of a container that was given away are moved out of it.
  static constexpr bool may_move = [] {
    if constexpr (std::is_lvalue_reference_v<Range>)
      return false;
    else
      return std::is_const_v<std::remove_reference_t<decltype(*std::begin(
          std::declval<const std::remove_cvref_t<Range>&>()))>>;
  }();

  Held held;
};

template <class Range>
struct Cursor {
  using Held = typename Reading<Range>::Held;
  using Iterator = decltype(std::begin(std::declval<Reading<Range>&>().range()));
  using End = decltype(std::end(std::declval<Reading<Range>&>().range()));

  explicit Cursor(Range&& range) : reading(std::forward<Range>(range)) {}
  /// The first call begins to read.
  [[nodiscard]] bool more() {
    if (!next) {
      next.emplace(std::begin(reading.range()));
      end.emplace(std::end(reading.range()));
    }
    return *next != *end;
  }

  template <class In>
  [[nodiscard]] Item item() {
    if constexpr (Reading<Range>::may_move)
      return make_item<In>(std::move(**next));
    else
      return make_item<In>(**next);
  }

  Reading<Range> reading;
  std::optional<Iterator> next = {};
  std::optional<End> end = {};
};

/// Items from a range.
template <class In, class Range>
Source source_from_range(Range&& range) {
  auto cursor = std::make_shared<Cursor<Range>>(std::forward<Range>(range));
  if constexpr (std::forward_iterator<typename Cursor<Range>::Iterator>) {
    return [cursor](Chunk& chunk, std::size_t most) {
      for (; most > 0 && cursor->more(); --most, ++*cursor->next)
        chunk.items.push_back(cursor->template item<In>());
      return cursor->more();
    };
  } else {
    // What can be read only once may come from outside, and the next element may be long in coming:
    // one item a call, and on to the next one only when that is asked for.
    return [cursor, begun = false](Chunk& chunk, std::size_t /*most*/) mutable {
      if (std::exchange(begun, true)) ++*cursor->next;
      if (!cursor->more()) return false;
      chunk.items.push_back(cursor->template item<In>());
      return true;
    };
  }
}

/// Items from a function that returns an empty optional when there are no more.
template <class In, class F>
Source source_from_function(F&& function) {
  auto next = std::make_shared<std::decay_t<F>>(std::forward<F>(function));
  return [next](Chunk& chunk, std::size_t /*most*/) {
    auto value = (*next)();
    if (!value) return false;
    chunk.items.push_back(make_item<In>(std::move(*value)));
    return true;
  };
}

/// A range, or a function that gives one item after the other.
template <class In, class From>
Source source_from(From&& from) {
  if constexpr (std::is_invocable_v<std::decay_t<From>&>)
    return source_from_function<In>(std::forward<From>(from));
  else
    return source_from_range<In>(std::forward<From>(from));
}

}  // namespace detail
}  // namespace espalier::pipeline
