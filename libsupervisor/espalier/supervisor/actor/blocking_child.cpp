#include "espalier/supervisor/actor/thread_child.hpp"

#include <stdexcept>
#include <utility>

namespace espalier::supervisor {

std::unique_ptr<Child> start_blocking_child(ChildStart start) {
  const auto* function = start.services->factories.find_blocking(start.spec->factory);
  if (!function)
    throw std::runtime_error("no blocking factory named '" + start.spec->factory + "'");
  return start_on_thread(std::move(start), *function, {}, {});
}

std::unique_ptr<Child> start_pipeline_child(ChildStart start) {
  const auto* factory = start.services->factories.find_pipeline(start.spec->factory);
  if (!factory) throw std::runtime_error("no pipeline factory named '" + start.spec->factory + "'");
  const auto work = (*factory)();
  return start_on_thread(
      std::move(start), [work](ChildContext& context) { work->run(context); },
      [work] { work->drain(); }, [work] { work->abort(); });
}

}  // namespace espalier::supervisor
