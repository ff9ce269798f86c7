#pragma once

#include "espalier/pipeline/build/result.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace espalier::pipeline::detail {

struct InputPlace {
  ItemSeq seq = 0;
  std::uint32_t part = 0;
};
/// Where each of the places is after sorting.
[[nodiscard]] std::vector<std::size_t> sorted_order(const std::vector<InputPlace>& places);

/// Gathers results as they come and gives them in the order of feeding. O(n) when every item gave
/// one result.
template <class T>
class InputOrder {
 public:
  void add(Chunk& chunk) {
    for (Item& item : chunk.items) {
      dense_ = dense_ && item.part == 0;
      if (!dense_ && parts_.empty()) parts_.resize(results_.size());
      if (!dense_) parts_.push_back(item.part);
      sorted_ = sorted_ && dense_ && item.seq == results_.size();
      last_ = item.seq > last_ ? item.seq : last_;
      results_.emplace_back(std::move(item));
    }
  }

  [[nodiscard]] std::vector<Result<T>> in_order() && {
    if (sorted_) return std::move(results_);
    std::vector<Result<T>> ordered;
    if (dense_ && last_ + 1 == results_.size()) {
      ordered.resize(results_.size());
      for (auto& result : results_) {
        const auto place = result.seq();
        ordered[place] = std::move(result);
      }
      return ordered;
    }
    ordered.reserve(results_.size());
    for (const std::size_t index : sorted_order(places()))
      ordered.push_back(std::move(results_[index]));
    return ordered;
  }

 private:
  [[nodiscard]] std::vector<InputPlace> places() const {
    std::vector<InputPlace> places;
    places.reserve(results_.size());
    for (std::size_t i = 0; i < results_.size(); ++i)
      places.push_back({results_[i].seq(), parts_.empty() ? 0 : parts_[i]});
    return places;
  }

  std::vector<Result<T>> results_ = {};
  std::vector<std::uint32_t> parts_ = {};  ///< Empty while all are zero.
  ItemSeq last_ = 0;
  bool dense_ = true;   ///< No part but the first of anything so far.
  bool sorted_ = true;  ///< 0, 1, 2, ...
};

}  // namespace espalier::pipeline::detail
