#pragma once

#include "espalier/supervisor/core/child_state.hpp"
#include "espalier/supervisor/core/event.hpp"

#include <memory>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Why a node is as it is.
struct Why {
  std::string path = {};
  /// "/b was restarted because /a failed: /a: permanent, exit code 1 (recoverable) -> ...".
  std::string sentence = {};
  ChildView view = {};
  /// The last decision about the node itself, with every rule consulted; null: there was none.
  std::shared_ptr<const RestartDecision> decision = {};
  std::string decision_text = {};  ///< The same as a sentence.
  /// The event that explains it and the causes of that, across the tree, newest first.
  std::vector<Event> chain = {};
  bool complete = true;  ///< False: the chain begins before the oldest event that is still kept.
};

/// Pure: from a node's view and the events that are still known, oldest first.
[[nodiscard]] Why why_of(const std::string& path, const ChildView& view,
                         const std::vector<Event>& events);

}  // namespace espalier::supervisor
