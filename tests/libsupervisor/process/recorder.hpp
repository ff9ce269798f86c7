#pragma once

#include "espalier/supervisor/process/process_host.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier::supervisor::testing {

/// Writes down what a listener hears; tests wait for what they expect, each wait bounded.
class Recorder : public ProcessListener {
 public:
  struct Line {
    bool is_stderr = false;
    std::string text = {};
    bool truncated = false;
  };

  void on_running(std::int64_t pid) override {
    note([&] { pid_ = pid; });
  }
  void on_ready() override {
    note([&] { ++ready; });
  }
  void on_alive() override {
    note([&] { ++alive; });
  }
  void on_extend(Duration by) override {
    note([&] { extended = by; });
  }
  void on_status(const std::string& text) override {
    note([&] { status.push_back(text); });
  }
  void on_output(bool is_stderr, std::string line, bool truncated) override {
    note([&] {
      ++line_count;
      if (lines.size() < 1000) lines.push_back({is_stderr, std::move(line), truncated});
    });
  }
  void on_exit(const ExitRecord& exit) override {
    note([&] {
      ++exits;
      exit_ = exit;
    });
  }

  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{20}, condition);
  }
  bool wait_line(const std::string& text) {
    return wait([&] {
      for (const auto& line : lines) {
        if (line.text == text) return true;
      }
      return false;
    });
  }
  std::int64_t wait_pid() {
    wait([&] { return pid_ != 0 || exit_; });
    return pid_;
  }
  /// The exit; one that nobody expects where it does not come in time.
  ExitRecord wait_exit() {
    if (wait([&] { return exit_.has_value(); })) return *exit_;
    ExitRecord late;
    late.kind = ExitKind::timed_out;
    return late;
  }
  std::string output() const {
    std::string all;
    for (const auto& line : lines)
      all += line.text + "\n";
    return all;
  }

  // To be read after wait_exit().
  std::vector<Line> lines;
  std::size_t line_count = 0;
  int ready = 0;
  int alive = 0;
  int exits = 0;
  std::optional<Duration> extended;
  std::vector<std::string> status;

 private:
  template <class Change>
  void note(Change change) {
    const std::lock_guard lock{mutex_};
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t pid_ = 0;
  std::optional<ExitRecord> exit_;
};

struct Launched {
  ProcessToken token = 0;
  std::shared_ptr<Recorder> heard = {};
};

inline Launched launch(ProcessHost& host, ProcessSpec spec, std::string path = "/test",
                       Duration watchdog = Duration::zero()) {
  Launched result;
  result.heard = std::make_shared<Recorder>();
  result.token =
      host.launch({std::move(path), 7, std::make_shared<const ProcessSpec>(std::move(spec)),
                   watchdog, result.heard});
  return result;
}

inline ProcessSpec command(std::vector<std::string> words) {
  ProcessSpec spec;
  spec.command = std::move(words);
  return spec;
}

inline ProcessSpec shell(std::string script) {
  return command({"sh", "-c", std::move(script)});
}

}  // namespace espalier::supervisor::testing
