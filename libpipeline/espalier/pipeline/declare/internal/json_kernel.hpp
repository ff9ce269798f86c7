#pragma once

#include "espalier/pipeline/core/kernel.hpp"
#include "espalier/pipeline/declare/declared_pipeline.hpp"
#include "espalier/pipeline/declare/internal/condition.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::pipeline::internal {

/// A stage whose items hold a Json and are run one by one. What derives from it runs one item: it
/// sets verdict, port and value, or throws, or sets `failure` with Verdict::fail and leaves the
/// value as it is.
class JsonKernel : public Kernel {
 public:
  explicit JsonKernel(const StageSpec& stage);
  bool run(std::span<Item> items, RunContext& context) final;
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 protected:
  virtual void run_one(Item& item, RunContext& context) = 0;
  static void fail(Item& item, Failure::Kind kind, std::string type, std::string message);

 private:
  void attempt(Item& item, RunContext& context);

  std::string stage_;
  std::vector<std::string> tasks_;
  std::uint32_t attempts_;
  std::optional<Condition> skip_if_ = {};
};

/// The kernel of a stage that is no command.
[[nodiscard]] std::shared_ptr<Kernel> make_shape_kernel(const StageSpec& stage,
                                                        const JsonTasks& tasks);

[[nodiscard]] inline Json& json_of(Item& item) {
  return item.value.as<Json>();
}

}  // namespace espalier::pipeline::internal
