#pragma once

#include "espalier/ipc/core/target.hpp"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace espalier::ipc::testing_support {

/// A target that does what a test says, in fixed times: five children, three events, three lines.
///
///     /                 supervisor, one_for_one
///     /db               process `postgres -D /data`, running, pid 4001
///     /api              process `api-server`, backing off after exit code 1
///     /etl              supervisor, rest_for_one
///     /etl/load         blocking function `loader`, running
///     /pool             pool of processes `worker`
///     /pool/1           running, pid 4002
///
/// Commands complete at once unless `reply` says otherwise. `change`, `publish` and `write` are
/// what the tree does by itself; the caller wakes the service.
class FakeTarget final : public Target {
 public:
  FakeTarget();

  // --- what a test says ---

  enum class Reply : std::uint8_t { at_once, later, never };
  /// How commands of one kind (word of CommandKind) are answered from now on.
  void reply(const std::string& kind, Reply how, std::optional<supervisor::Error> error = {}) {
    replies_[kind] = {how, std::move(error)};
  }
  /// Ends the oldest command that is to be answered later. False: there is none.
  bool finish();
  [[nodiscard]] std::size_t waiting() const { return later_.size(); }
  /// A node changes its phase: a new attempt where it starts, and an event.
  void change(const std::string& path, supervisor::ChildPhase phase);
  /// Adds an event now; sequence, epoch and times are filled in.
  void publish(const std::string& path, supervisor::EventBody body);
  void write(const std::string& path, LogStream stream, const std::string& text);
  void remove(const std::string& path);
  /// Time passes: of events, lines and states.
  void advance(supervisor::Duration by) { elapsed_ += by; }
  /// Keeps at most so many events and lines.
  void keep(std::size_t events, std::size_t lines);

  [[nodiscard]] static supervisor::TimePoint start() {
    return supervisor::TimePoint{std::chrono::hours{1}};
  }
  /// 2026-01-31T12:00:00Z
  [[nodiscard]] static Timestamp start_wall() {
    return Timestamp{std::chrono::seconds{1'769'860'800}};
  }
  [[nodiscard]] supervisor::TimePoint now() const { return start() + elapsed_; }
  [[nodiscard]] Timestamp wall() const {
    return start_wall() + std::chrono::duration_cast<Timestamp::duration>(elapsed_);
  }

  // --- what a test looks at ---

  std::vector<supervisor::Command> executed = {};
  bool watches_events = false;
  bool watches_lines = false;
  int states_read = 0;
  std::vector<supervisor::EventBody> reported = {};
  supervisor::SupervisorSpec own_file = {};  ///< What read_tree("") gives.
  supervisor::HealthReport health_now = {};
  std::vector<pipeline::PipelineRow> pipelines_now = {};

  // --- Target ---

  [[nodiscard]] TargetInfo info() override;
  [[nodiscard]] expected<supervisor::TreeState, supervisor::Error> state(
      const supervisor::StateQuery& query) override;
  [[nodiscard]] std::uint64_t generation() override { return sequence_; }
  [[nodiscard]] supervisor::HealthReport health() override;
  [[nodiscard]] supervisor::RunSummary summary() override;
  [[nodiscard]] expected<supervisor::Why, supervisor::Error> why(const std::string& path) override;
  [[nodiscard]] supervisor::EventPage events(std::uint64_t position, std::size_t limit) override;
  [[nodiscard]] std::uint64_t events_end() override { return events_lost_ + events_.size(); }
  [[nodiscard]] LinePage lines(std::uint64_t position, std::size_t limit) override;
  [[nodiscard]] std::uint64_t lines_end() override { return lines_lost_ + lines_.size(); }
  [[nodiscard]] std::vector<pipeline::PipelineRow> pipelines() override { return pipelines_now; }
  [[nodiscard]] std::optional<ResourceInfo> resources(std::int64_t pid) override;
  [[nodiscard]] expected<supervisor::ChildSpec, WireError> read_child(
      const std::string& parent, const std::string& text) override;
  [[nodiscard]] expected<supervisor::SupervisorSpec, WireError> read_tree(
      const std::string& text) override;
  void execute(supervisor::Command command, Answer done) override;
  void report(supervisor::EventBody body) override { reported.push_back(std::move(body)); }
  void watch(bool events, bool lines) override {
    watches_events = events;
    watches_lines = lines;
  }

 private:
  struct Plan {
    Reply how = Reply::at_once;
    std::optional<supervisor::Error> error = {};
  };
  struct Waiting {
    supervisor::Command command = {};
    Answer done = {};
  };
  void add(supervisor::NodeState node);
  [[nodiscard]] supervisor::NodeState* find(const std::string& path);
  [[nodiscard]] supervisor::PhaseCounts counts() const;
  [[nodiscard]] supervisor::CommandResult result_of(const supervisor::Command& command);

  supervisor::Duration elapsed_ = supervisor::Duration::zero();
  std::vector<supervisor::NodeState> nodes_ = {};
  std::deque<supervisor::Event> events_ = {};
  std::deque<LogLine> lines_ = {};
  std::uint64_t events_lost_ = 0;
  std::uint64_t lines_lost_ = 0;
  std::size_t events_kept_ = 4096;
  std::size_t lines_kept_ = 1000;
  std::uint64_t sequence_ = 0;
  std::map<std::string, Plan> replies_ = {};
  std::deque<Waiting> later_ = {};
  std::vector<Answer> never_ = {};
};

}  // namespace espalier::ipc::testing_support

#include "ipc/support/fake_target_impl.hpp"
