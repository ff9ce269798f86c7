#pragma once

#include "espalier/supervisor.hpp"
#include "support/recording_sink.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace espalier::supervisor::testing {

/// A Unix socket that somebody listens on, until it is closed.
class TakenSocket {
 public:
  TakenSocket() {
    std::string folder = std::filesystem::temp_directory_path() / "espalier-XXXXXX";
    if (!::mkdtemp(folder.data())) throw std::runtime_error("no temporary folder");
    folder_ = folder;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd_, 5) != 0) {
      throw std::runtime_error("cannot listen on " + path());
    }
  }
  ~TakenSocket() {
    close();
    std::filesystem::remove_all(folder_);
  }
  TakenSocket(const TakenSocket&) = delete;
  TakenSocket& operator=(const TakenSocket&) = delete;

  [[nodiscard]] std::string path() const { return (folder_ / "taken").string(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  std::filesystem::path folder_;
  int fd_ = -1;
};

/// A running tree whose child /a was brought to one of the states of docs/commands.md and is held
/// there, until `release`: then everybody does what is asked of them.
class StagedChild {
 public:
  explicit StagedChild(const std::string& state) {
    factories_.add_blocking("staged", [held = held_](ChildContext& c) { held->run(c); });
    (this->*stages().at(state))();
  }
  ~StagedChild() {
    release();
    held_->in_stop = false;
  }
  StagedChild(const StagedChild&) = delete;
  StagedChild& operator=(const StagedChild&) = delete;

  [[nodiscard]] const SupervisorHandle& tree() const { return *tree_; }

  void release() {
    held_->before_ready = false;
    if (!never_returns_) held_->in_stop = false;
    socket_.close();
  }

  /// "removed" where there is no such child.
  [[nodiscard]] std::string phase(const std::string& path = "/a") const {
    const auto state = tree_->current_state({.path = path, .depth = 0});
    return state ? to_string(state->nodes.front().view.phase) : "removed";
  }
  bool wait_for_phase(const std::string& wanted, const std::string& path = "/a") const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (phase(path) != wanted) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
  }

  /// What the child was started with.
  [[nodiscard]] ChildPolicy policy() const { return a_.policy; }

  using Stage = void (StagedChild::*)();
  static const std::map<std::string, Stage>& stages() {
    static const std::map<std::string, Stage> all{
        {"starting", &StagedChild::starting},
        {"running", &StagedChild::running},
        {"suspended", &StagedChild::suspended},
        {"backing_off", &StagedChild::backing_off},
        {"queued", &StagedChild::queued},
        {"restarting with its scope", &StagedChild::restarting_with_its_scope},
        {"blocked", &StagedChild::blocked},
        {"gated", &StagedChild::gated},
        {"stopping", &StagedChild::stopping},
        {"stopped", &StagedChild::stopped},
        {"paused", &StagedChild::paused},
        {"quarantined", &StagedChild::quarantined},
        {"held", &StagedChild::held},
        {"abandoned", &StagedChild::abandoned},
        {"in a tree that stops", &StagedChild::in_a_tree_that_stops},
        {"in a tree that has ended", &StagedChild::in_a_tree_that_has_ended},
    };
    return all;
  }

 private:
  /// Where attempts are held; shared, because an abandoned one outlives its tree.
  struct Held {
    std::atomic<bool> before_ready = false;
    std::atomic<bool> in_stop = false;
    std::atomic<std::uint64_t> crashes = 0;  ///< So many attempts fail.

    void run(ChildContext& context) {
      const auto a_moment = std::chrono::milliseconds{1};
      const bool is_a = context.path() == "/a";
      while (is_a && before_ready && context.sleep_for(a_moment)) {
      }
      if (context.params().contains("fails")) throw std::runtime_error("as the test wants it");
      context.report_ready();
      while (context.sleep_for(a_moment)) {
        if (is_a && context.generation() <= crashes) throw std::runtime_error("as told");
      }
      while (in_stop && context.params().contains("holds_stop"))
        std::this_thread::sleep_for(a_moment);
    }
  };

  static ChildSpec child(const std::string& name) {
    ChildSpec result{.name = name, .kind = ChildKind::blocking, .factory = "staged"};
    result.policy.backoff = {.initial = std::chrono::milliseconds{1}, .jitter = Jitter::none};
    result.policy.readiness = Readiness::explicit_report;
    return result;
  }
  static void wait_long_before_restarts(ChildSpec& child) {
    child.policy.backoff.initial = child.policy.backoff.max = std::chrono::hours{1};
  }

  void launch(SupervisorSpec spec) {
    SupervisorOptions options;
    options.events = {sink_};
    options.worker_threads = 1;
    auto launched = Supervisor::launch(std::move(spec), factories_, options);
    if (!launched) throw std::runtime_error(launched.error().message);
    tree_ = std::make_unique<SupervisorHandle>(std::move(*launched));
  }
  void start(SupervisorSpec spec) {
    launch(std::move(spec));
    if (auto up = tree_->wait_started(); !up) throw std::runtime_error(up.error().message);
  }
  void until(const std::string& wanted, const std::string& path = "/a") const {
    if (!wait_for_phase(wanted, path)) {
      throw std::runtime_error(path + " is " + phase(path) + ", not " + wanted);
    }
  }
  void ask(CommandKind kind) {
    tree_->execute({.kind = kind, .path = "/a", .meta = {"stage", "to get there"}},
                   [](const CommandResult&) {});
  }

  void starting() {
    held_->before_ready = true;
    launch({.children = {a_}});
    until("starting");
  }
  void running() { start({.children = {a_}}); }
  void suspended() {
    a_.kind = ChildKind::process;
    a_.factory.clear();
    a_.can_suspend = true;
    a_.policy.readiness = Readiness::immediate;
    a_.process = std::make_shared<ProcessSpec>(ProcessSpec{.command = {"sleep", "1000"}});
    start({.children = {a_}});
    ask(CommandKind::pause_child);
    until("suspended");
  }
  void backing_off() {
    wait_long_before_restarts(a_);
    start({.children = {a_}});
    held_->crashes = 1;
    until("backing_off");
  }
  void queued() {
    a_.policy.budget = RestartBudget{.max_burst = 1, .recovery_rate_per_sec = 0.001};
    start({.children = {a_}});
    held_->crashes = 2;
    until("queued");
  }
  void restarting_with_its_scope() {
    auto b = child("b");
    b.params["holds_stop"] = "yes";
    held_->in_stop = true;
    start({.strategy = Strategy::one_for_all, .children = {a_, b}});
    held_->crashes = 1;
    until("stopping", "/b");
  }
  void blocked() {
    auto b = child("b");
    b.params["fails"] = "yes";
    wait_long_before_restarts(b);
    a_.dependencies = {"b"};
    launch({.start_failure = StartFailure::restart, .children = {b, a_}});
    until("blocked");
  }
  void gated() {
    a_.gates = {{StartGate::Kind::path, socket_.path()}};
    launch({.children = {a_}});
    until("gated");
  }
  void stopping() {
    a_.params["holds_stop"] = "yes";
    held_->in_stop = true;
    start({.children = {a_}});
    ask(CommandKind::stop_child);
    until("stopping");
  }
  void stopped() {
    start({.children = {a_}});
    ask(CommandKind::stop_child);
    until("stopped");
  }
  void paused() {
    start({.children = {a_}});
    ask(CommandKind::pause_child);
    until("paused");
  }
  void quarantined() {
    a_.policy.restart_limit = RestartLimit{0, std::chrono::seconds{60}};
    start({.children = {a_}});
    held_->crashes = 1;
    until("quarantined");
  }
  void held() {
    a_.group = "io";
    const GroupSpec io{.name = "io", .restart_limit = RestartLimit{0, std::chrono::seconds{60}}};
    start({.groups = {io}, .children = {a_}});
    held_->crashes = 1;
    until("held");
  }
  void abandoned() {
    a_.params["holds_stop"] = "yes";
    a_.policy.stop.grace = std::chrono::milliseconds{10};
    held_->in_stop = never_returns_ = true;
    start({.shutdown = {.abort_wait = std::chrono::milliseconds{10}}, .children = {a_}});
    ask(CommandKind::stop_child);
    until("abandoned");
  }
  void in_a_tree_that_stops() {
    auto b = child("b");
    b.params["holds_stop"] = "yes";
    held_->in_stop = true;
    start({.children = {a_, b}});
    if (!tree_->request_shutdown({"stage", "to get there"})) throw std::runtime_error("refused");
    until("stopping", "/b");
  }
  void in_a_tree_that_has_ended() {
    start({.children = {a_}});
    if (!tree_->shutdown({"stage", "to get there"})) throw std::runtime_error("refused");
  }

  TakenSocket socket_;
  std::shared_ptr<Held> held_ = std::make_shared<Held>();
  bool never_returns_ = false;
  ChildSpec a_ = child("a");
  ChildFactories factories_;
  std::shared_ptr<RecordingSink> sink_ = std::make_shared<RecordingSink>();
  std::unique_ptr<SupervisorHandle> tree_;
};

}  // namespace espalier::supervisor::testing
