#include "espalier/pipeline/declare/internal/json_kernel.hpp"

namespace espalier::pipeline::internal {

namespace {

class PassKernel : public JsonKernel {
 public:
  using JsonKernel::JsonKernel;

 protected:
  void run_one(Item&, RunContext&) override {}
};

class TaskKernel : public JsonKernel {
 public:
  TaskKernel(const StageSpec& stage, JsonTask task)
      : JsonKernel(stage), task_(std::move(task)), params_(stage.params) {}

 protected:
  void run_one(Item& item, RunContext& context) override {
    // Aside first: while the task may throw, the item keeps what it came with.
    auto result = task_(json_of(item), params_, context);
    json_of(item) = std::move(result);
  }

 private:
  JsonTask task_;
  TaskParams params_;
};

class FilterKernel : public JsonKernel {
 public:
  explicit FilterKernel(const StageSpec& stage) : JsonKernel(stage), keep_(*stage.filter) {}

 protected:
  void run_one(Item& item, RunContext&) override {
    if (!keep_.holds_for(json_of(item))) item.verdict = Verdict::skip;
  }

 private:
  Condition keep_;
};

/// The first route that fits; behind the routes, `next` if there is one.
class SplitKernel : public JsonKernel {
 public:
  explicit SplitKernel(const StageSpec& stage) : JsonKernel(stage), has_next_(!stage.next.empty()) {
    for (const auto& route : stage.split) {
      routes_.push_back(route.when.field.empty() ? std::nullopt
                                                 : std::optional<Condition>(route.when));
    }
  }

 protected:
  void run_one(Item& item, RunContext&) override {
    std::uint16_t port = 0;
    for (; port < routes_.size(); ++port) {
      if (!routes_[port] || routes_[port]->holds_for(json_of(item))) break;
    }
    item.port = port;
    if (port < routes_.size() || has_next_) return;
    item.port = 0;
    fail(item, Failure::Kind::refused, "no route",
         "no line of split takes this item, and the stage has no next:");
  }

 private:
  std::vector<std::optional<Condition>> routes_ = {};
  bool has_next_;
};

class BroadcastKernel : public JsonKernel {
 public:
  explicit BroadcastKernel(const StageSpec& stage)
      : JsonKernel(stage), targets_(stage.broadcast.size()) {}

 protected:
  void run_one(Item& item, RunContext&) override {
    std::vector<Value> copies;
    for (std::size_t i = 0; i < targets_; ++i)
      copies.push_back(Value::of<Json>(json_of(item)));
    item.value.emplace<std::vector<Value>>(std::move(copies));
    item.verdict = Verdict::spread;
  }

 private:
  std::size_t targets_;
};

class UnpackKernel : public JsonKernel {
 public:
  using JsonKernel::JsonKernel;

 protected:
  void run_one(Item& item, RunContext&) override {
    auto& list = json_of(item);
    if (!list.is_array()) {
      fail(item, Failure::Kind::refused, "no list",
           std::string("unpack takes a list, and this is of type ") + list.type_name());
      return;
    }
    std::vector<Value> elements;
    elements.reserve(list.size());
    for (auto& element : list)
      elements.push_back(Value::of<Json>(std::move(element)));
    item.value.emplace<std::vector<Value>>(std::move(elements));
    item.verdict = Verdict::expand;
  }
};

/// The items of a batch or a window become one list.
class GatherKernel : public Kernel {
 public:
  explicit GatherKernel(const StageSpec& stage) : tasks_{stage.name} {}

  bool run(std::span<Item> items, RunContext& context) override {
    if (items.empty()) return true;
    auto list = Json::array();
    for (auto& item : items) {
      list.push_back(std::move(json_of(item)));
      item.verdict = Verdict::absorbed;
    }
    auto& whole = items.front();
    if (context.watched()) context.on_task(whole, 0, TaskMoment::start, nullptr);
    json_of(whole) = std::move(list);
    whole.verdict = Verdict::pass;
    whole.port = 0;
    if (context.watched()) context.on_task(whole, 0, TaskMoment::complete, nullptr);
    return items.size() == 1;
  }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 private:
  std::vector<std::string> tasks_;
};

}  // namespace

std::shared_ptr<Kernel> make_shape_kernel(const StageSpec& stage, const JsonTasks& tasks) {
  if (!stage.task.empty()) return std::make_shared<TaskKernel>(stage, tasks.at(stage.task));
  if (stage.filter) return std::make_shared<FilterKernel>(stage);
  if (stage.batch || stage.window) return std::make_shared<GatherKernel>(stage);
  if (!stage.split.empty()) return std::make_shared<SplitKernel>(stage);
  if (!stage.broadcast.empty()) return std::make_shared<BroadcastKernel>(stage);
  if (stage.unpack) return std::make_shared<UnpackKernel>(stage);
  return std::make_shared<PassKernel>(stage);
}

}  // namespace espalier::pipeline::internal
