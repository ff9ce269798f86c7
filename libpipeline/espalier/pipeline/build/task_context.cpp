#include "espalier/pipeline/build/task_context.hpp"

#include <condition_variable>
#include <mutex>

namespace espalier::pipeline {

bool TaskContext::sleep_for(Duration time) const {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  const auto stop = stop_token();
  wake.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace espalier::pipeline
