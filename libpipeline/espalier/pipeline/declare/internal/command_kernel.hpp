#pragma once

#include "espalier/pipeline/declare/internal/command_process.hpp"
#include "espalier/pipeline/declare/internal/json_kernel.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace espalier::pipeline::internal {

/// Why the command of a stage cannot be run on this machine; empty: it can.
[[nodiscard]] std::string command_problem(const StageSpec& stage);

/// A stage that is a command. Mode per_item: a process for each item. Mode lines: as many processes
/// as workers were busy at once, which stay for the next items; one that ends or answers what it
/// was not asked is replaced. All end with the kernel.
class CommandKernel : public JsonKernel {
 public:
  explicit CommandKernel(const StageSpec& stage);
  ~CommandKernel() override;

  /// The type of the failure of a command that ended with `code`.
  [[nodiscard]] static std::string exit_type(int code) {
    return "exit code " + std::to_string(code);
  }

 protected:
  void run_one(Item& item, RunContext& context) override;

 private:
  using Process = std::unique_ptr<CommandProcess>;
  using Started = expected<Process, std::string>;

  /// A thread that lives as long as the processes it starts: they are killed when it ends.
  class Starter {
   public:
    ~Starter();
    [[nodiscard]] Started start(const std::function<Started()>& make);

   private:
    void run();
    std::mutex mutex_;
    std::condition_variable changed_;
    const std::function<Started()>* make_ = nullptr;
    std::optional<Started> made_ = {};
    bool busy_ = false;
    bool end_ = false;
    std::thread thread_ = {};
  };

  void run_alone(Item& item, const std::string& input, const std::stop_token& stop);
  void run_line(Item& item, const std::string& input, const std::stop_token& stop);
  [[nodiscard]] Started take_process();
  void take_answer(Item& item, const std::string& text);
  void fail_ended(Item& item, CommandProcess& process);
  void fail_unended(Item& item, CommandProcess& process, CommandProcess::Answer::Kind kind);

  supervisor::ProcessSpec spec_;
  CommandMode mode_;
  ResultForm result_;
  std::optional<FieldPath> error_field_ = {};
  Duration kill_after_;
  supervisor::LaunchPlan plan_;
  std::mutex mutex_;
  Starter starter_;  ///< Ends after the processes below.
  std::vector<Process> idle_ = {};
};

}  // namespace espalier::pipeline::internal
