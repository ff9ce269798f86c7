#include "espalier/pipeline/build/shape_kernels.hpp"

#include "espalier/pipeline/build/task_chain.hpp"

namespace espalier::pipeline::detail {

void throw_no_such_branch(std::int64_t chosen, std::size_t branches) {
  throw std::out_of_range("the chooser gave branch " + std::to_string(chosen) +
                          ", but there are only the branches 0 to " + std::to_string(branches - 1));
}

bool CopyKernel::run(std::span<Item> items, RunContext& context) {
  for (Item& item : items) {
    begin(item);
    Attempt attempt{facts_, item, context, context.watched()};
    try {
      std::vector<Value> copies;
      copies.reserve(ports_);
      for (std::size_t port = 1; port < ports_; ++port)
        copies.push_back(item.value.copy());
      copies.push_back(std::move(item.value));
      item.value.emplace<std::vector<Value>>(std::move(copies));
      item.verdict = Verdict::spread;
    } catch (...) {
      attempt.failed_with_current_exception();
    }
  }
  return items.empty();
}

bool PassKernel::run(std::span<Item> items, RunContext& /*context*/) {
  for (Item& item : items)
    begin(item);
  return true;
}

}  // namespace espalier::pipeline::detail
