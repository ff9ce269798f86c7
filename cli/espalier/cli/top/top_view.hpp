#pragma once

#include "espalier/cli/top/top_model.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::cli {

struct TopLook {
  bool color = false;
  bool unicode = false;
  bool has_keys = true;  ///< False: nobody can press one, so none is named.
};

struct TopFrame {
  std::vector<std::string> lines = {};  ///< With the escapes of their colours.
  std::size_t scroll_limit = 0;         ///< For TopModel::limit_scroll.
};

/// One picture of the dashboard: at most as many lines as the terminal has, none wider than it,
/// whatever strangers called their children or wrote. Pure. Cost: what is visible; for a text page,
/// its text.
[[nodiscard]] TopFrame render_top(const TopModel& model, const TopLook& look);

/// Text with colours in at most `width` columns.
[[nodiscard]] std::string cut_colored(std::string_view text, std::size_t width);

/// The lines of the views but the tree; all of them for a text, those that are visible for events
/// and logs.
[[nodiscard]] std::vector<std::string> top_text(const TopModel& model, const TopLook& look);
[[nodiscard]] std::vector<std::string> top_stream(const TopModel& model, const TopLook& look,
                                                  std::size_t room, std::size_t& scroll_limit);

}  // namespace espalier::cli
