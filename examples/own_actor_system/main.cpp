#include <espalier/actor.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <iostream>
#include <thread>

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;

// An actor as any other of the program. The supervisor sees an exception that leaves it.
caf::behavior greeter(caf::event_based_actor* self, std::shared_ptr<sv::ChildContext> context) {
  self->delayed_send(self, 200ms, caf::tick_atom_v);
  return {[self, context](caf::tick_atom) {
    if (context->generation() < 3) throw std::runtime_error("lost my voice");
    context->report_status("hello from " + context->path());
    self->delayed_send(self, 200ms, caf::tick_atom_v);
  }};
}

int main() {
  caf::actor_system_config config;
  config.load<sv::Scheduler>();  // Before the system is made.
  caf::actor_system system{config};
  const auto logger = spdlog::stdout_logger_mt("shop");  // Ours too, with its own sinks.

  sv::ChildFactories factories;
  sv::add_actor(factories, "greeter", greeter);
  sv::SupervisorSpec tree;
  tree.children = {sv::ChildSpec{.name = "greeter", .factory = "greeter"}};

  sv::SupervisorOptions options;
  options.system = &system;
  options.events = {std::make_shared<sv::LogSink>(logger, sv::LogFormat::text)};
  const auto handle = sv::Supervisor::start(tree, factories, options);
  if (!handle) return std::cerr << handle.error().message << '\n', 1;
  std::this_thread::sleep_for(1500ms);
  const auto result = handle->shutdown({"main", "the example is over"});
  return result && result->report.reconcile.clean() ? 0 : 1;
}
