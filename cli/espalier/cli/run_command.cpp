#include "espalier/cli/run_command.hpp"

#include "espalier/cli/builtins.hpp"
#include "espalier/cli/commands.hpp"
#include "espalier/cli/console.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/fan.hpp"
#include "espalier/cli/host_check.hpp"
#include "espalier/cli/listen_fds.hpp"
#include "espalier/cli/live_screen.hpp"
#include "espalier/cli/manager_reports.hpp"
#include "espalier/cli/reloader.hpp"
#include "espalier/cli/run_log.hpp"
#include "espalier/cli/run_metrics.hpp"
#include "espalier/cli/run_records.hpp"
#include "espalier/cli/run_socket.hpp"
#include "espalier/cli/signal_watch.hpp"
#include "espalier/cli/systemd_notifier.hpp"
#include "espalier/cli/tree_text.hpp"
#include "espalier/ipc/server/log_ring.hpp"
#include "espalier/ipc/server/server.hpp"
#include "espalier/supervisor/process/guardian.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr sv::Duration look_around = 100ms;    ///< How often the main thread wakes.
constexpr sv::Duration wait_after_abort = 2s;  ///< For children that were killed to be gone.
constexpr std::size_t last_words = 10;         ///< Warnings repeated when the screen is gone.

/// Answers with the soft limit as it was.
std::optional<std::uint64_t> raise_open_files_limit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  const std::uint64_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
  return before;
}

/// A thread takes memory from a heap that it shares with few others, of which the C library makes
/// many: what each reload of a large tree leaves behind in one after the other would grow for
/// hours.
void keep_heaps_few() {
  if (std::getenv("MALLOC_ARENA_MAX") == nullptr) mallopt(M_ARENA_MAX, 2);
}

/// One run of one tree, from the checked configuration to the exit status.
class Session {
 public:
  Session(sv::TreeConfig config, const RunOptions& options)
      : config_(std::move(config)),
        options_(options),
        log_(config_, options_),
        feed_(std::make_shared<TreeFeed>(config_.tree)),
        source_(options_.file, config_, teller()),
        records_(config_.observability, config_.tree.name, teller()) {}

  struct Host {
    std::shared_ptr<sv::Guardian> guardian = {};
    std::optional<std::uint64_t> open_files = {};
    ListenFds listeners = {};
  };

  int run(SignalWatch& signals, SystemdNotifier& notifier, Host host) {
    if (const auto problem = records_.open_events(options_.events)) {
      tell(sv::Severity::error, *problem);
      return exit_failed;
    }
    if (!open_log_and_screen()) return exit_failed;
    metrics_.emplace(config_.observability.metrics, std::move(host.listeners.metrics), teller());
    if (const auto refused = prepare_socket(std::move(host.listeners.tree))) {
      return give_up(exit_code_of(*refused), refused->message);
    }
    records_.open();
    const auto folder = std::filesystem::path(options_.file).parent_path().string();
    auto launched = sv::Supervisor::launch(config_.tree, builtin_factories(pipelines_, folder),
                                           supervisor_options(std::move(host)));
    if (!launched) return give_up(exit_config_invalid, launched.error().message);
    handle_.emplace(std::move(*launched));
    for (const sv::ConfigProblem& warning : config_.warnings)
      warn(warning.to_string());
    open_socket();
    metrics_->listen(*handle_, {records_.journal(), records_.traces(), pipelines_, log_});
    reloader_.emplace(*handle_, notifier, options_.file, source_, teller());
    signals.start([this](int signal) { on_signal(signal); });
    ManagerReports reports(
        notifier, *feed_, config_.tree.shutdown.total_timeout, look_around,
        [this](sv::Duration limit) { return static_cast<bool>(handle_->ping(limit)); });
    const sv::TreeResult* const result = wait_for_end(reports);
    reports.stopping(Clock::now());
    signals.stop();
    reloader_->wait();
    return finish(result);
  }

 private:
  bool open_log_and_screen() {
    const bool live = options_.live && options_.events != "-" && is_screen(STDOUT_FILENO);
    if (const auto problem = log_.open(live && isatty(STDERR_FILENO) == 1)) {
      tell(sv::Severity::error, *problem);
      return false;
    }
    if (live) {
      screen_.emplace(*feed_, LiveScreen::Options{wants_color(options_.color, STDOUT_FILENO),
                                                  is_utf8_locale()});
    }
    return true;
  }

  Tell teller() {
    return [this](sv::Severity severity, const std::string& text) { note(severity, text); };
  }

  int give_up(int code, const std::string& why) {
    prepared_.reset();
    screen_.reset();
    fan_->close();
    records_.close();
    log_.close();
    tell(sv::Severity::error, why);
    return code;
  }

  /// Before anything starts: a second run on the same socket starts nothing.
  std::optional<ipc::ServerError> prepare_socket(sv::UniqueFd given) {
    auto spec = wanted_socket(config_, options_, static_cast<bool>(given));
    if (!spec) {
      if (given) warn("--no-socket: nobody answers on the socket that the service manager holds");
      return std::nullopt;
    }
    logs_ = std::make_shared<ipc::LogRing>(spec->log_capacity);
    auto options = server_options(std::move(*spec), config_, source_, logs_, teller());
    options.pipelines = pipelines_;
    options.figures = metrics_->socket_figures();
    auto prepared = ipc::PreparedServer::prepare(std::move(options), std::move(given));
    if (!prepared) return prepared.error();
    prepared_.emplace(std::move(*prepared));
    return std::nullopt;
  }

  void open_socket() {
    if (!prepared_) return;
    auto server = ipc::Server::start(*handle_, std::move(*prepared_));
    prepared_.reset();
    if (!server) {
      note(sv::Severity::error, "no socket: " + server.error().message);
      return;
    }
    server_ = std::move(*server);
    note(sv::Severity::info, "listening on " + server_->path() + " as " + server_->target_id());
  }

  sv::SupervisorOptions supervisor_options(Host host) {
    records_.add_to(*fan_);
    if (log_.sink()) fan_->add(log_.sink());
    if (log_.sink()) fan_->add_output(log_.sink());
    fan_->add(feed_);
    if (screen_) fan_->add_output(feed_);
    if (logs_) fan_->add_output(logs_);
    sv::SupervisorOptions options;
    options.events = {fan_};
    options.output = fan_;
    metrics_->count(*fan_, options);
    if (options_.scheduler == "sharing") options.scheduler = sv::SchedulerPolicy::sharing;
    options.journal_capacity = config_.observability.journal_capacity;
    options.backpressure = config_.backpressure;
    options.subreaper = true;
    options.guardian = std::move(host.guardian);
    options.open_files = host.open_files;
    return options;
  }

  void on_signal(int signal) {
    if (signal == SIGWINCH) {
      if (screen_) screen_->resized();
    } else if (signal == SIGHUP) {
      log_.reopen();
      reloader_->start();
    } else if (std::exchange(stop_asked_, true)) {
      warn("second signal: ending everything now");
      handle_->abort();
      interrupted_ = true;
    } else {
      const std::string name = signal == SIGINT ? "SIGINT" : "SIGTERM";
      static_cast<void>(handle_->request_shutdown({"signal", name}));
    }
  }

  const sv::TreeResult* wait_for_end(ManagerReports& reports) {
    std::optional<Clock::time_point> give_up;
    while (true) {
      if (const sv::TreeResult* const result = handle_->join_for(look_around)) return result;
      const Clock::time_point now = Clock::now();
      reports.tick(now);
      log_.tick();
      records_.watch(*handle_);
      if (interrupted_ && !give_up) give_up = now + wait_after_abort;
      if (give_up && now >= *give_up) return nullptr;
    }
  }

  int finish(const sv::TreeResult* result) {
    const bool was_live = screen_.has_value();
    metrics_->stop();
    server_.reset();  // It tells of itself through what is closed below.
    if (screen_) screen_->close();
    const bool events_written = records_.flush_events();
    fan_->close();
    records_.close();  // They may have something to tell, as long as there is a log.
    log_.close();      // The last one.
    if (!events_written) tell(sv::Severity::error, "not all events could be written");
    if (was_live) repeat_warnings();
    if (result != nullptr) {
      const bool well = exit_code_of(*result) == exit_done && !interrupted_;
      for (const std::string& line : summarize(*result)) {
        tell(well ? sv::Severity::info : sv::Severity::error, line);
      }
    } else {
      tell(sv::Severity::error,
           "interrupted; not everything was gone yet, the kernel ends the rest");
    }
    const int code = interrupted_ ? int{exit_interrupted} : exit_code_of(*result);
    const bool something_lives =
        result == nullptr || result->report.count(sv::ChildShutdownOutcome::abort_failed) > 0;
    if (interrupted_ || something_lives) std::_Exit(code);
    return code;
  }

  /// The screen is gone and with it what was on it; what went wrong should stay to be read.
  void repeat_warnings() const {
    std::vector<sv::Event> bad =
        handle_->kept_events(0, config_.observability.journal_capacity).events;
    bad.erase(std::remove_if(bad.begin(), bad.end(),
                             [](const sv::Event& event) {
                               return sv::severity_of(event.body) < sv::Severity::warning;
                             }),
              bad.end());
    const std::size_t from = bad.size() > last_words ? bad.size() - last_words : 0;
    for (std::size_t i = from; i < bad.size(); ++i) {
      tell(sv::severity_of(bad[i].body),
           bad[i].path + " " + sv::describe(bad[i].body, bad[i].path));
    }
  }

  void warn(const std::string& text) { note(sv::Severity::warning, text); }

  void note(sv::Severity severity, const std::string& text) {
    if (screen_) feed_->note(text);
    log_.note(severity, text);
  }

  void tell(sv::Severity severity, const std::string& text) const {
    say(log_.format(), severity, text);
  }

  sv::TreeConfig config_;
  RunOptions options_;
  RunLog log_;
  std::shared_ptr<Fan> fan_ = std::make_shared<Fan>();
  std::shared_ptr<TreeFeed> feed_;
  TreeSource source_;
  RunRecords records_;
  std::optional<LiveScreen> screen_;
  std::optional<sv::SupervisorHandle> handle_;
  std::shared_ptr<ipc::LogRing> logs_;
  std::shared_ptr<pipeline::PipelineBoard> pipelines_ = std::make_shared<pipeline::PipelineBoard>();
  std::optional<RunMetrics> metrics_;
  std::optional<ipc::PreparedServer> prepared_;
  std::unique_ptr<ipc::Server> server_;
  std::optional<Reloader> reloader_;
  bool stop_asked_ = false;  ///< Of the signal thread.
  std::atomic<bool> interrupted_ = false;
};

}  // namespace

int run_command(const RunOptions& options) {
  auto config = load_tree(options.file);
  std::vector<sv::ConfigProblem> problems = config ? check_host(*config) : config.error();
  if (!problems.empty()) {
    std::cerr << render_problems(problems);
    return exit_config_invalid;
  }
  auto listeners = ListenFds::take();
  if (!listeners) {
    std::cerr << "espalier: " << listeners.error() << '\n';
    return exit_config_invalid;
  }
  const std::optional<std::uint64_t> open_files = raise_open_files_limit();
  keep_heaps_few();
  auto guardian = sv::Guardian::start();  // It forks: before anything has a thread.
  SystemdNotifier notifier;
  SignalWatch signals;
  Session session(std::move(*config), options);
  return session.run(signals, notifier, {std::move(guardian), open_files, std::move(*listeners)});
}

}  // namespace espalier::cli
