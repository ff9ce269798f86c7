#include "espalier/cli/fan.hpp"

#include <mutex>

namespace espalier::cli {
namespace sv = espalier::supervisor;

void Fan::publish(const sv::Event& event) {
  const std::shared_lock lock(mutex_);
  for (const auto& sink : events_)
    sink->publish(event);
}

void Fan::write(const sv::OutputLine& line) {
  const std::shared_lock lock(mutex_);
  for (const auto& sink : output_)
    sink->write(line);
}

void Fan::close() {
  const std::unique_lock lock(mutex_);
  events_.clear();
  output_.clear();
}

}  // namespace espalier::cli
