#pragma once

#include "espalier/pipeline/core/kernel.hpp"

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// Stands for the Runner while a kernel is tested alone.
class FakeRun final : public RunContext {
 public:
  std::stop_source stop = {};
  bool is_watched = false;
  std::vector<std::string> told = {};
  std::vector<std::string> statuses = {};

  [[nodiscard]] std::stop_token stop_token() const override { return stop.get_token(); }
  [[nodiscard]] bool watched() const override { return is_watched; }
  void on_task(const Item& item, std::uint16_t task, TaskMoment moment,
               const Failure* failure) override {
    static constexpr const char* words[] = {"start", "complete", "retry", "fail"};
    told.push_back("task " + std::to_string(task) + " attempt " + std::to_string(item.attempt + 1) +
                   " " + words[static_cast<int>(moment)] +
                   (failure ? ": " + failure->message : ""));
  }
  void set_status(std::string text) override { statuses.push_back(std::move(text)); }
};

template <class T>
Item item_of(T value, ItemSeq seq = 0) {
  Item item;
  item.value = Value::of<T>(std::move(value));
  item.seq = seq;
  return item;
}

template <class T>
std::vector<Item> items_of(std::vector<T> values) {
  std::vector<Item> items;
  for (auto& value : values)
    items.push_back(item_of<T>(std::move(value), items.size()));
  return items;
}

/// What an engine does with an item that failed and may be tried again.
inline void next_attempt(Item& item) {
  ++item.attempt;
  item.verdict = Verdict::pass;
}

}  // namespace espalier::pipeline
