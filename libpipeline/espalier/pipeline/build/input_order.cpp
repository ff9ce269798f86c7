#include "espalier/pipeline/build/input_order.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace espalier::pipeline::detail {

std::vector<std::size_t> sorted_order(const std::vector<InputPlace>& places) {
  std::vector<std::size_t> order(places.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(places[a].seq, places[a].part, a) <
           std::tuple(places[b].seq, places[b].part, b);
  });
  return order;
}

}  // namespace espalier::pipeline::detail
