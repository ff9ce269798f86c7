#pragma once

#include "espalier/pipeline/durable/checkpoint_store.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// Does what a test says; the tests of the store run no kernel of their own.
class FunctionKernel : public Kernel {
 public:
  using Work = std::function<void(Item&)>;
  FunctionKernel(std::string name, Work work) : tasks_{std::move(name)}, work_(std::move(work)) {}
  bool run(std::span<Item> items, RunContext&) override {
    bool plain = true;
    for (auto& item : items) {
      item.verdict = Verdict::pass;
      item.port = 0;
      try {
        work_(item);
      } catch (const std::exception& error) {
        item.failure = std::make_unique<Failure>();
        item.failure->message = error.what();
        item.verdict = Verdict::fail;
      }
      plain = plain && item.verdict == Verdict::pass;
    }
    return plain;
  }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 private:
  std::vector<std::string> tasks_;
  Work work_;
};

/// A line of stages that each do `work(stage, text)`; items hold a std::string.
inline Plan text_plan(const std::vector<std::string>& stages,
                      std::function<void(const std::string& stage, std::string& text)> work) {
  Plan plan;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    NodePlan node;
    node.name = stages[i];
    node.kernel = std::make_shared<FunctionKernel>(stages[i], [work, name = stages[i]](Item& item) {
      work(name, item.value.as<std::string>());
    });
    node.next = {i + 1 == stages.size() ? output_node : static_cast<NodeId>(i + 1)};
    node.input = typeid(std::string);
    plan.nodes.push_back(std::move(node));
  }
  return plan;
}

inline CheckpointCodec text_codec() {
  return {[](const Value& value, const std::string&) { return value.as<std::string>(); },
          [](const std::string& text, const std::string&) { return Value::of<std::string>(text); }};
}

inline Item text_item(const std::string& text, const std::string& key = {}) {
  Item item;
  item.value = Value::of<std::string>(text);
  if (key.empty()) return item;
  item.info = std::make_shared<ItemInfo>();
  item.info->id = key;
  return item;
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string name = "/tmp/espalier-store-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~StoreTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name = "work.db") const {
    return folder_ + "/" + name;
  }
  [[nodiscard]] std::string text_of(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  [[nodiscard]] Plan plan() const {
    return text_plan({"first", "second"}, [](const std::string&, std::string&) {});
  }
  std::shared_ptr<CheckpointStore> open(CheckpointOptions options = {}) const {
    if (options.path.empty()) options.path = path();
    if (!options.codec.encode) options.codec = text_codec();
    auto store = CheckpointStore::open(std::move(options), plan());
    EXPECT_TRUE(store) << (store ? "" : store.error());
    return store ? *store : nullptr;
  }
  [[nodiscard]] std::string problem_of_opening() const {
    const auto store = CheckpointStore::open({path(), text_codec(), {}}, plan());
    return store ? "none" : store.error();
  }
  static std::vector<Item> items(const std::vector<std::pair<std::string, std::string>>& given) {
    std::vector<Item> out;
    for (const auto& [key, text] : given)
      out.push_back(text_item(text, key));
    return out;
  }
  static Item at(ItemSeq seq, const std::string& text) {
    auto item = text_item(text);
    item.seq = seq;
    return item;
  }
  /// "key@stage=value ..."
  static std::string described(const std::vector<StoredItem>& stored) {
    std::string out;
    for (const auto& item : stored) {
      out += (out.empty() ? "" : " ") + item.key + "@" + item.stage + "=" +
             item.value.as<std::string>();
    }
    return out;
  }

  std::string folder_;
};

}  // namespace espalier::pipeline
