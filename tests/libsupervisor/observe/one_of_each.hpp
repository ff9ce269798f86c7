#pragma once

#include "espalier/supervisor/core/event.hpp"

#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

namespace espalier::supervisor {

template <std::size_t... i>
std::vector<EventBody> one_of_each(std::index_sequence<i...>) {
  return {EventBody{std::in_place_index<i>}...};
}
/// Every event type once, with nothing in it.
inline std::vector<EventBody> one_of_each() {
  return one_of_each(std::make_index_sequence<std::variant_size_v<EventBody>>{});
}

}  // namespace espalier::supervisor
