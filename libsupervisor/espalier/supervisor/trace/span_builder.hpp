#pragma once

#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/trace/span.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace espalier::supervisor {

/// Makes spans of events:
///
/// - `attempt`: from the start of a child to its exit. What happened to it meanwhile are its
///   moments.
/// - `start`: from the start of a child to the moment it is ready. It ends soon, so that whoever
///   looks sees the child of a long attempt too.
/// - `decision`: from an exit to what was decided, with the rule and its explanation; a link leads
///   to the attempt that ended, and the attempts that follow from it are below it.
/// - `tree_start`, `shutdown`: of the whole tree.
///
/// All spans of one incident share a trace. Pure; not thread-safe. Memory: an entry for each child
/// that lives, and for the last 16,384 events. Cost: a look-up by path an event.
class SpanBuilder {
 public:
  /// Appends what ends with this event.
  void add(const Event& event, std::vector<Span>& ended);
  /// No event comes any more: ends what has not, marked as such.
  void finish(Span::Time at, std::vector<Span>& ended);

 private:
  static constexpr std::size_t remembered = 1UL << 14U;
  static constexpr std::size_t most_moments = 32;

  // What later events need of an earlier one to say where they belong.
  struct Trail {
    std::uint64_t sequence = 0;
    std::uint64_t owner = 0;  ///< The span it lies in; 0: none.
    Span::Time at = {};
    std::optional<Span::Link> link = {};  ///< Of an exit: the attempt that it ended.
  };
  struct Life {
    Span attempt = {};
    std::optional<Span> start = {};
  };

  [[nodiscard]] Span begin(const Event& event, std::string name) const;
  [[nodiscard]] const Trail* trail_of(std::uint64_t sequence) const;
  void remember(const Event& event, std::uint64_t owner, std::optional<Span::Link> link = {});
  void start_child(const Event& event, std::vector<Span>& ended);
  void ready(const Event& event, std::vector<Span>& ended);
  void end_child(const Event& event, const std::optional<std::string>& error,
                 std::vector<Span>& ended);
  void decide(const Event& event, const events::RestartDecided& decided, std::vector<Span>& ended);
  void begin_of_tree(const Event& event, std::optional<Span>& span, std::string name);
  void end_of_tree(const Event& event, std::optional<Span>& span,
                   const std::optional<std::string>& error, std::vector<Span>& ended);
  void note(const Event& event);

  std::unordered_map<std::string, Life> lives_ = {};
  std::optional<Span> tree_start_ = {};
  std::optional<Span> shutdown_ = {};
  std::vector<Trail> trails_ = std::vector<Trail>(remembered);  // By sequence.
};

}  // namespace espalier::supervisor
