#pragma once

#include "espalier/supervisor/core/event.hpp"

#include <memory>
#include <shared_mutex>
#include <vector>

namespace espalier::cli {

/// Hands what the tree tells to all that want it, until it is closed. The tree may hold on to a
/// sink for ever; closing lets go of ours, and a log writes out its queue when it is let go.
/// Thread-safe, but for the two `add`, which come first.
class Fan final : public supervisor::EventSink, public supervisor::OutputSink {
 public:
  void add(std::shared_ptr<supervisor::EventSink> sink) { events_.push_back(std::move(sink)); }
  void add_output(std::shared_ptr<supervisor::OutputSink> sink) {
    output_.push_back(std::move(sink));
  }
  void publish(const supervisor::Event& event) override;
  void write(const supervisor::OutputLine& line) override;
  void close();

 private:
  std::shared_mutex mutex_;
  std::vector<std::shared_ptr<supervisor::EventSink>> events_;
  std::vector<std::shared_ptr<supervisor::OutputSink>> output_;
};

}  // namespace espalier::cli
