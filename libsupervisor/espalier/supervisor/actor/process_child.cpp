#include "espalier/supervisor/actor/child.hpp"
#include "espalier/supervisor/actor/process_listener.hpp"

#include <utility>

namespace espalier::supervisor {

namespace {

class Listener final : public ProcessListener {
 public:
  Listener(AttemptId id, std::shared_ptr<OutputSink> output)
      : id_(std::move(id)), output_(std::move(output)) {}

  void on_running(std::int64_t pid) override {
    id_.line->send(input::ChildRunning{id_.child, id_.generation, pid});
  }
  void on_ready() override { id_.line->send(input::ChildReady{id_.child, id_.generation}); }
  void on_alive() override { id_.line->send(input::ChildAlive{id_.child, id_.generation}); }
  void on_extend(Duration by) override {
    id_.line->send(input::ChildExtend{id_.child, id_.generation, by});
  }
  void on_status(const std::string& text) override {
    id_.line->send(input::ChildStatus{id_.child, id_.generation, text});
  }
  void on_asks(input::Wish wish, const std::string& reason) override {
    id_.line->send(input::ChildAsks{id_.child, id_.generation, wish, reason});
  }
  void on_output(bool is_stderr, std::string line, bool truncated) override {
    if (!output_) return;
    try {
      output_->write({id_.path, shown(id_.generation), is_stderr, std::move(line), truncated});
    } catch (...) {  // As for event sinks: who listens cannot end what runs.
    }
  }
  void on_exit(const ExitRecord& exit) override {
    id_.line->send(input::ChildExited{id_.child, id_.generation, exit});
  }

 private:
  AttemptId id_;
  std::shared_ptr<OutputSink> output_;
};

class ProcessChild final : public Child {
 public:
  ProcessChild(ProcessHost& host, ProcessToken token) : host_(host), token_(token) {}

  void stop(const effect::StopChild&) override { host_.stop(token_); }
  void abort(const effect::AbortChild&) override { host_.abort(token_); }
  void suspend(bool suspended) override { host_.suspend(token_, suspended); }
  void supervisor_lost() noexcept override { host_.abort(token_); }

 private:
  ProcessHost& host_;
  ProcessToken token_;
};

}  // namespace

std::shared_ptr<ProcessListener> make_process_listener(AttemptId id,
                                                       std::shared_ptr<OutputSink> output) {
  return std::make_shared<Listener>(std::move(id), std::move(output));
}

std::unique_ptr<Child> launch_process(ProcessHost& host, LaunchRequest request) {
  return std::make_unique<ProcessChild>(host, host.launch(std::move(request)));
}

std::unique_ptr<Child> start_process_child(ChildStart start) {
  auto& host = start.services->host();
  LaunchRequest request{.path = start.id.path,
                        .generation = shown(start.id.generation),
                        .spec = start.spec->process,
                        .watchdog = start.spec->policy.watchdog};
  request.listener = make_process_listener(std::move(start.id), start.services->output);
  return launch_process(host, std::move(request));
}

}  // namespace espalier::supervisor
