#include "espalier/supervisor/runtime/supervisor.hpp"

#include "espalier/supervisor/actor/supervisor_thread.hpp"
#include "espalier/supervisor/runtime/supervisor_impl.hpp"
#include "espalier/supervisor/runtime/validate_spec.hpp"
#include "espalier/supervisor/scheduler/scheduler.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <algorithm>
#include <future>
#include <random>
#include <thread>
#include <utility>

namespace espalier::supervisor {

namespace {

struct OwnConfig : caf::actor_system_config {
  explicit OwnConfig(const SupervisorOptions& options) {
    if (options.scheduler == SchedulerPolicy::espalier) load<Scheduler>();
    const std::size_t cores = std::thread::hardware_concurrency();
    const auto threads = options.worker_threads;
    // `stealing`, the default, stalls for tens of milliseconds when thousands of actors wait.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-throughput", Scheduler::usual_throughput);
    set("scheduler.max-threads", threads > 0 ? threads : std::max<std::size_t>(2, cores));
  }
};

std::uint64_t microseconds_since_1970() {
  using namespace std::chrono;
  const auto now = system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(duration_cast<microseconds>(now).count());
}

std::shared_ptr<TreeServices> services_for(const SupervisorSpec& spec,
                                           const ChildFactories& factories,
                                           const SupervisorOptions& options) {
  auto services = std::make_shared<TreeServices>();
  services->sinks = options.events;
  services->output = options.output;
  services->probe_sink = options.probes;
  services->factories = factories;
  if (spec.admission) services->admission = std::make_shared<AdmissionDesk>(*spec.admission);
  services->epoch = microseconds_since_1970();
  services->seed = options.seed != 0 ? options.seed : std::random_device{}();
  services->subreaper = options.subreaper;
  services->guardian = options.guardian;
  services->open_files = options.open_files;
  return services;
}

}  // namespace

namespace {

DynamicRegistry::Tree registry_use(const std::shared_ptr<Tree>& tree) {
  return {.wait_up = [tree] { return tree->wait_up(); },
          .execute =
              [tree](Command command, CommandRouter::Answer done) {
                CommandRouter{tree->services()}.execute(std::move(command), std::move(done));
              },
          .tell =
              [tree](events::CommandDone what) {
                publish_for_tree(*tree->services(), "/", {}, std::move(what));
              }};
}

}  // namespace

struct OwnSystem {
  explicit OwnSystem(const SupervisorOptions& options) : config(options) {}
  OwnConfig config;
  caf::actor_system system{config};
};

// CAF 0.17 leaves a reference to the logger of a system in the thread-local data of each thread
// that makes the system or spawns in it, and the end of the system waits until all of them are
// gone. So it is made and ended on threads of ours, which end at once. Otherwise a handle dropped
// on another thread than the one that started the tree would wait for the end of that thread, and a
// static handle, destroyed after the thread-local data of `main`, would release a logger twice.
SupervisorHandle::Impl::Impl(SupervisorSpec spec, const ChildFactories& factories,
                             const SupervisorOptions& options,
                             std::shared_ptr<DynamicRegistry> registry)
    : tree_(std::make_shared<Tree>(services_for(spec, factories, options),
                                   Tree::Options{.abort_wait = spec.shutdown.abort_wait,
                                                 .events_kept = options.journal_capacity,
                                                 .backpressure = options.backpressure})),
      router_(tree_->services()),
      registry_(std::move(registry)) {
  const auto begin = [&] {
    if (!options.system) own_ = std::make_unique<OwnSystem>(options);
    auto& system = options.system ? *options.system : own_->system;
    tree_->line()->open(system.spawn<SupervisorActor>(
        SupervisorStart{.services = tree_->services(),
                        .spec = std::make_shared<SupervisorSpec>(std::move(spec)),
                        .uplink = tree_,
                        .line = tree_->line()}));
  };
  std::async(std::launch::async, begin).get();
  closer_ = std::thread{[tree = tree_] { tree->close(); }};
  if (registry_) registry_->begin(registry_use(tree_));
}

SupervisorHandle::Impl::~Impl() {
  if (!tree_->is_done()) tree_->request_stop("the last handle was dropped", {});
  auto end = [own = std::move(own_), tree = std::move(tree_), registry = std::move(registry_),
              closer = std::move(closer_)]() mutable {
    closer.join();
    if (registry) registry->end();
    // A system waits for its actors. One that never returns from a handler would hold up the
    // caller for ever: then the system stays, as the report has said.
    if (tree->services()->census->actors() > 0) static_cast<void>(own.release());
  };
  std::thread last{std::move(end)};
  if (SupervisorThreadMark::is_set()) {
    last.detach();  // Dropped by a callback: nobody may wait here.
  } else {
    last.join();
  }
}

expected<void, Error> SupervisorHandle::wait_started() const {
  if (SupervisorThreadMark::is_set()) {
    return unexpected<Error>(Error{Error::Code::wrong_state,
                                   "a supervisor cannot wait for a start; use launch, and the "
                                   "event tree_started"});
  }
  if (impl_->tree().wait_up()) {
    if (auto* registry = impl_->registry()) registry->wait_restored();
    return {};
  }
  const auto& result = impl_->tree().result();
  const auto code = result.kind == TreeResult::Kind::stopped ? Error::Code::stopped_early
                                                             : Error::Code::start_failed;
  return unexpected<Error>(Error{code, "the tree did not start: " + result.reason});
}

expected<void, Error> SupervisorHandle::request_shutdown(const CommandMeta& meta,
                                                         std::optional<Duration> limit) const {
  if (auto problem = meta_problem(CommandKind::shutdown_tree, meta)) {
    return unexpected<Error>(std::move(*problem));
  }
  impl_->tree().request_stop(meta.requested_by + ": " + meta.reason, limit);
  return {};
}

expected<TreeResult, Error> SupervisorHandle::shutdown(const CommandMeta& meta) const {
  if (SupervisorThreadMark::is_set()) {
    return unexpected<Error>(
        Error{Error::Code::wrong_state,
              "a supervisor cannot wait for its own end; use request_shutdown"});
  }
  if (auto asked = request_shutdown(meta); !asked) return unexpected<Error>(asked.error());
  return join();
}

void SupervisorHandle::abort() const {
  impl_->tree().abort();
}

const TreeResult& SupervisorHandle::join() const {
  return impl_->tree().result();
}

const TreeResult* SupervisorHandle::join_for(Duration limit) const {
  const bool may_wait = !SupervisorThreadMark::is_set();
  return impl_->tree().result_within(may_wait ? limit : Duration::zero());
}

bool SupervisorHandle::is_alive() const {
  return !impl_->tree().is_done();
}

expected<SupervisorHandle, Error> Supervisor::launch(SupervisorSpec spec,
                                                     const ChildFactories& factories,
                                                     SupervisorOptions options) {
  if (auto problem = problem_of(spec, factories); !problem.empty()) {
    return unexpected<Error>(Error{Error::Code::invalid_spec, std::move(problem)});
  }
  std::shared_ptr<DynamicRegistry> registry;
  const auto& file =
      options.dynamic_registry.empty() ? spec.dynamic.registry : options.dynamic_registry;
  if (!file.empty()) {
    auto opened = DynamicRegistry::open(file, factories);
    if (!opened) {
      return unexpected<Error>(
          Error{Error::Code::invalid_spec, "registry of dynamic children: " + opened.error()});
    }
    registry = std::move(*opened);
    options.events.push_back(registry);
  }
  return SupervisorHandle{std::make_shared<SupervisorHandle::Impl>(std::move(spec), factories,
                                                                   options, std::move(registry))};
}

expected<SupervisorHandle, Error> Supervisor::start(SupervisorSpec spec,
                                                    const ChildFactories& factories,
                                                    SupervisorOptions options) {
  auto handle = launch(std::move(spec), factories, std::move(options));
  if (!handle) return handle;
  if (auto started = handle->wait_started(); !started) {
    return unexpected<Error>(started.error());
  }
  return handle;
}

}  // namespace espalier::supervisor
