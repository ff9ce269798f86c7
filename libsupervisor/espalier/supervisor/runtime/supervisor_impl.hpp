#pragma once

#include "espalier/supervisor/runtime/command_router.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"
#include "espalier/supervisor/runtime/tree.hpp"

#include <memory>
#include <thread>

namespace espalier::supervisor {

struct OwnSystem;

/// The actor system, the tree and the thread that waits for its end, behind all handles of a tree.
class SupervisorHandle::Impl {
 public:
  Impl(SupervisorSpec spec, const ChildFactories& factories, const SupervisorOptions& options);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] Tree& tree() { return *tree_; }
  [[nodiscard]] const CommandRouter& router() const { return router_; }

 private:
  std::unique_ptr<OwnSystem> own_;
  std::shared_ptr<Tree> tree_;
  CommandRouter router_;
  std::thread closer_;
};

}  // namespace espalier::supervisor
