#pragma once

#include "espalier/ipc/core/target.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier::ipc::testing_support {

/// A target whose events come in whatever order a test says, and whose tree is a list of nodes.
class LooseTarget final : public Target {
 public:
  std::uint64_t epoch = 77;
  std::size_t kept = 4096;
  supervisor::TreeState tree = {};
  supervisor::HealthReport report = {};
  int states_read = 0;
  bool watches_events = false;
  bool watches_lines = false;
  std::size_t watch_calls = 0;

  LooseTarget() {
    node("/").kind = supervisor::ChildKind::supervisor;
    report.state = supervisor::HealthReport::State::up;
  }

  /// A new number. The event may be published later, or never.
  [[nodiscard]] supervisor::Event make(std::string path, supervisor::EventBody body,
                                       std::int64_t at_ms = 0) {
    supervisor::Event event;
    event.sequence = ++sequence_;
    event.epoch = epoch;
    event.at = Timestamp{std::chrono::milliseconds{at_ms}};
    event.path = std::move(path);
    event.body = std::move(body);
    return event;
  }
  void publish(supervisor::Event event) {
    events_.push_back(std::move(event));
    for (; events_.size() > kept; events_.pop_front())
      ++lost_;
  }
  void publish(std::string path, supervisor::EventBody body = supervisor::events::ChildStarting{},
               std::int64_t at_ms = 0) {
    publish(make(std::move(path), std::move(body), at_ms));
  }
  void write(std::string path, std::string text, std::int64_t at_ms) {
    LogLine line;
    line.at = Timestamp{std::chrono::milliseconds{at_ms}};
    line.path = std::move(path);
    line.message = std::move(text);
    lines_.push_back(std::move(line));
    for (; lines_.size() > kept; lines_.pop_front())
      ++lines_lost_;
  }
  supervisor::NodeState& node(const std::string& path) {
    for (auto& known : tree.nodes) {
      if (known.path == path) return known;
    }
    tree.nodes.emplace_back().path = path;
    return tree.nodes.back();
  }
  void remove(const std::string& path) {
    std::erase_if(tree.nodes, [&](const auto& x) { return x.path == path; });
  }

  [[nodiscard]] TargetInfo info() override { return {"shop", "The shop", 1, "1", {}, epoch}; }
  [[nodiscard]] expected<supervisor::TreeState, supervisor::Error> state(
      const supervisor::StateQuery& query) override {
    ++states_read;
    auto result = tree;
    result.sequence = sequence_;
    if (query.path == "/") return result;
    std::erase_if(result.nodes, [&](const auto& x) { return x.path != query.path; });
    if (!result.nodes.empty()) return result;
    return unexpected<supervisor::Error>(
        supervisor::Error{supervisor::Error::Code::not_found, "there is no " + query.path});
  }
  [[nodiscard]] std::uint64_t generation() override { return sequence_; }
  [[nodiscard]] supervisor::HealthReport health() override { return report; }
  [[nodiscard]] supervisor::RunSummary summary() override { return {}; }
  [[nodiscard]] expected<supervisor::Why, supervisor::Error> why(const std::string&) override {
    return supervisor::Why{};
  }
  [[nodiscard]] supervisor::EventPage events(std::uint64_t position, std::size_t limit) override {
    supervisor::EventPage page;
    page.lost = position < lost_ ? lost_ - position : 0;
    page.next = std::max(position, lost_);
    for (; page.events.size() < limit && page.next < events_end(); ++page.next)
      page.events.push_back(events_[page.next - lost_]);
    return page;
  }
  [[nodiscard]] std::uint64_t events_end() override { return lost_ + events_.size(); }
  [[nodiscard]] LinePage lines(std::uint64_t position, std::size_t limit) override {
    LinePage page;
    page.lost = position < lines_lost_ ? lines_lost_ - position : 0;
    page.next = std::max(position, lines_lost_);
    for (; page.lines.size() < limit && page.next < lines_end(); ++page.next)
      page.lines.push_back({page.next, lines_[page.next - lines_lost_]});
    return page;
  }
  [[nodiscard]] std::uint64_t lines_end() override { return lines_lost_ + lines_.size(); }
  [[nodiscard]] std::optional<ResourceInfo> resources(std::int64_t pid) override {
    return ResourceInfo{1.5, static_cast<std::uint64_t>(pid), 3};
  }
  [[nodiscard]] expected<supervisor::ChildSpec, WireError> read_child(const std::string&,
                                                                      const std::string&) override {
    return supervisor::ChildSpec{};
  }
  [[nodiscard]] expected<supervisor::SupervisorSpec, WireError> read_tree(
      const std::string&) override {
    return supervisor::SupervisorSpec{};
  }
  void execute(supervisor::Command, Answer done) override { done(supervisor::CommandOutcome{}); }
  void watch(bool events, bool lines) override {
    watches_events = events;
    watches_lines = lines;
    ++watch_calls;
  }

 private:
  std::uint64_t sequence_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t lines_lost_ = 0;
  std::deque<supervisor::Event> events_ = {};
  std::deque<LogLine> lines_ = {};
};

}  // namespace espalier::ipc::testing_support
