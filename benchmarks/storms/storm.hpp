#pragma once

#include "common.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

/// The storms S1 to S12: what a tree must bear, with policy, events and the journal ring on. Each
/// one prints its figures and whether what must hold did hold.
namespace espalier::benchmarks {

/// Prints "S3 held: TEXT" or "S3 BROKEN: TEXT"; remembers whether any was broken.
void tell(const char* storm, bool held, const std::string& text);
[[nodiscard]] bool any_broken();

/// Text as printf makes it.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

/// Waits at most 60 s.
[[nodiscard]] bool comes_true(const std::function<bool()>& what);

/// Counts the events of a tree by type and keeps those of a few types.
class Tally final : public EventSink {
 public:
  void publish(const Event& event) override {
    counts_[event.body.index()].fetch_add(1);
    const bool start = note_starts_ && std::holds_alternative<events::ChildStarting>(event.body);
    if (!start && !keep(event.body)) return;
    const std::lock_guard lock{mutex_};
    if (start) {
      starts_.push_back(event.path);
    } else {
      kept_.push_back(event);
    }
  }
  template <class Body>
  [[nodiscard]] std::uint64_t count() const {
    return counts_[EventBody{Body{}}.index()].load();
  }
  /// Exits, escalations and ends, in order.
  [[nodiscard]] std::vector<Event> kept() const {
    const std::lock_guard lock{mutex_};
    return kept_;
  }
  /// Exits are kept unless this is called: for storms of thousands.
  void drop_exits() { keep_exits_ = false; }
  /// The paths of children in the order in which their supervisors started them; from now on.
  void note_starts() {
    const std::lock_guard lock{mutex_};
    starts_.clear();
    note_starts_ = true;
  }
  [[nodiscard]] std::vector<std::string> starts() const {
    const std::lock_guard lock{mutex_};
    return starts_;
  }

 private:
  [[nodiscard]] bool keep(const EventBody& body) const {
    if (std::holds_alternative<events::ChildExited>(body)) return keep_exits_;
    return std::holds_alternative<events::Escalated>(body) ||
           std::holds_alternative<events::TreeStopped>(body);
  }

  std::array<std::atomic<std::uint64_t>, std::variant_size_v<EventBody>> counts_ = {};
  mutable std::mutex mutex_;
  std::vector<Event> kept_;
  std::vector<std::string> starts_;
  std::atomic<bool> note_starts_ = false;
  std::atomic<bool> keep_exits_ = true;
};

/// A ring, as everywhere, and the tally.
inline SupervisorOptions watched_by(const std::shared_ptr<Tally>& tally) {
  auto options = with_ring();
  options.events.push_back(tally);
  return options;
}

void storms_of_restarts();  ///< S1, S2, S8.
void storms_of_siblings();  ///< S3, S4, S5.
void storms_of_endings();   ///< S6, S7, S11, S12.
void storm_of_moments();    ///< S10.

}  // namespace espalier::benchmarks
