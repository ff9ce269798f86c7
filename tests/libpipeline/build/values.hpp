#pragma once

#include "espalier/pipeline/build/result.hpp"

#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// 0, 1, 2, ...
inline std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// Of those that have one.
template <class T>
std::vector<T> values(std::vector<Result<T>> results) {
  std::vector<T> all;
  for (auto& result : results)
    if (result) all.push_back(std::move(*result));
  return all;
}

}  // namespace espalier::pipeline
