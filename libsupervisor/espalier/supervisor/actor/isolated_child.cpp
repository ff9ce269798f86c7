#include "espalier/supervisor/actor/child.hpp"
#include "espalier/supervisor/actor/process_listener.hpp"

#include <utility>

namespace espalier::supervisor {

std::unique_ptr<Child> start_isolated_child(ChildStart start) {
  auto& host = start.services->host();
  const auto& spec = *start.spec;
  LaunchRequest request{
      .path = start.id.path, .generation = shown(start.id.generation), .spec = spec.process};
  request.call = std::make_shared<const CopyCall>(
      CopyCall{.factory = spec.factory,
               .path = start.id.path,
               .generation = shown(start.id.generation),
               .attempt = start.id.attempt,
               .heartbeat_interval = heartbeat_interval(spec.policy),
               .params = spec.params});
  request.listener = make_process_listener(std::move(start.id), start.services->output);
  return launch_process(host, std::move(request));
}

}  // namespace espalier::supervisor
