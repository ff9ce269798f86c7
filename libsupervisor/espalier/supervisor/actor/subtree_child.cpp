#include "espalier/supervisor/actor/child.hpp"
#include "espalier/supervisor/actor/supervisor_actor.hpp"

#include <caf/send.hpp>

#include <utility>

namespace espalier::supervisor {

namespace {

class ParentUplink final : public Uplink {
 public:
  explicit ParentUplink(AttemptId id) : id_(std::move(id)) {}

  // A tree runs once it is up, not once its supervisor exists: what comes after waits for it.
  void up() override {
    id_.line->send(input::ChildRunning{id_.child, id_.generation, {}});
    id_.line->send(input::ChildReady{id_.child, id_.generation});
  }
  void finished(const effect::Finished& how) override {
    id_.line->send(input::ChildExited{id_.child, id_.generation, how.exit, how.cause, how.children,
                                      how.ends_tree});
  }

 private:
  AttemptId id_;
};

class SubtreeChild final : public Child {
 public:
  SubtreeChild(caf::actor handle, std::shared_ptr<ReportLine> line)
      : handle_(std::move(handle)), line_(std::move(line)) {}

  void stop(const effect::StopChild& how) override {
    line_->send(input::Stop{"stopped by its supervisor", how.limit, how.cause},
                caf::message_priority::high);
  }
  void abort(const effect::AbortChild& how) override {
    line_->send(input::Abort{how.wait, how.cause}, caf::message_priority::high);
  }
  void supervisor_lost() noexcept override {
    caf::anon_send<caf::message_priority::high>(
        handle_, caf::exit_msg{handle_.address(), caf::exit_reason::kill});
  }

 private:
  caf::actor handle_;
  std::shared_ptr<ReportLine> line_;
};

}  // namespace

std::unique_ptr<Child> start_subtree_child(ChildStart start) {
  auto path = start.id.path;
  auto line = std::make_shared<ReportLine>();
  caf::actor handle = start.supervisor->spawn<SupervisorActor>(
      SupervisorStart{.services = std::move(start.services),
                      .spec = start.spec->supervisor,
                      .pool = start.spec->pool,
                      .path = std::move(path),
                      .uplink = std::make_shared<ParentUplink>(std::move(start.id)),
                      .line = line,
                      .cause = start.cause});
  line->open(handle);
  return std::make_unique<SubtreeChild>(std::move(handle), std::move(line));
}

}  // namespace espalier::supervisor
