#pragma once

#include "espalier/supervisor/runtime/command_router.hpp"
#include "espalier/supervisor/runtime/dynamic_registry.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"
#include "espalier/supervisor/runtime/tree.hpp"

#include <memory>
#include <thread>

namespace espalier::supervisor {

struct OwnSystem;

/// The actor system, the tree and the thread that waits for its end, behind all handles of a tree.
class SupervisorHandle::Impl {
 public:
  /// `registry`: null where added children are not kept.
  Impl(SupervisorSpec spec, const ChildFactories& factories, const SupervisorOptions& options,
       std::shared_ptr<DynamicRegistry> registry);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] Tree& tree() { return *tree_; }
  [[nodiscard]] const CommandRouter& router() const { return router_; }
  [[nodiscard]] DynamicRegistry* registry() const { return registry_.get(); }

 private:
  std::unique_ptr<OwnSystem> own_;
  std::shared_ptr<Tree> tree_;
  CommandRouter router_;
  std::shared_ptr<DynamicRegistry> registry_;
  std::thread closer_;
};

}  // namespace espalier::supervisor
