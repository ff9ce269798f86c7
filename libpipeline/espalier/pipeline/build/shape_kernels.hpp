#pragma once

#include "espalier/pipeline/build/attempt.hpp"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace espalier::pipeline::detail {

/// Makes one vector of all items it is given (batch, window).
template <class T>
class GatherKernel final : public Kernel {
 public:
  explicit GatherKernel(StageFacts facts) : facts_(std::move(facts)) {}
  [[nodiscard]] std::span<const std::string> tasks() const override { return facts_.tasks; }

  bool run(std::span<Item> items, RunContext& context) override {
    for (Item& item : items)
      begin(item);
    if (items.empty()) return true;
    try {
      std::vector<T> all;
      all.reserve(items.size());
      for (Item& item : items)
        all.push_back(std::move(item.value.as<T>()));
      items.front().value.emplace<std::vector<T>>(std::move(all));
    } catch (...) {
      for (Item& item : items)
        Attempt{facts_, item, context, context.watched()}.failed_with_current_exception();
      return false;
    }
    for (Item& item : items.subspan(1))
      item.verdict = Verdict::absorbed;
    return items.size() == 1;
  }

 private:
  StageFacts facts_;
};

/// Copies each item for every one of its ports.
class CopyKernel final : public Kernel {
 public:
  CopyKernel(StageFacts facts, std::size_t ports) : facts_(std::move(facts)), ports_(ports) {}
  [[nodiscard]] std::span<const std::string> tasks() const override { return facts_.tasks; }
  bool run(std::span<Item> items, RunContext& context) override;

 private:
  StageFacts facts_;
  std::size_t ports_;
};

/// Lets everything pass (throttle).
class PassKernel final : public Kernel {
 public:
  explicit PassKernel(StageFacts facts) : facts_(std::move(facts)) {}
  [[nodiscard]] std::span<const std::string> tasks() const override { return facts_.tasks; }
  bool run(std::span<Item> items, RunContext& context) override;

 private:
  StageFacts facts_;
};

}  // namespace espalier::pipeline::detail
