#include "espalier/cli/remote/words.hpp"

#include "espalier/supervisor/observe/json_object.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace espalier::cli {
namespace {

using ipc::Lifecycle;
using supervisor::ChildPhase;

std::string pair(long long big, const char* big_unit, long long small, const char* small_unit) {
  std::string out = std::to_string(big) + big_unit;
  if (small > 0) out += std::to_string(small) + small_unit;
  return out;
}

}  // namespace

std::string short_span(double milliseconds) {
  if (!(milliseconds > 0)) return "0s";
  if (milliseconds < 1000) return std::to_string(std::max(1LL, std::llround(milliseconds))) + "ms";
  constexpr double longest = 1e15;
  const long long s = std::llround(std::min(milliseconds, longest) / 1000);
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return pair(s / 60, "m", s % 60, "s");
  if (s < 86400) return pair(s / 3600, "h", s % 3600 / 60, "m");
  return pair(s / 86400, "d", s % 86400 / 3600, "h");
}

std::string short_span(std::chrono::nanoseconds span) {
  return short_span(std::chrono::duration<double, std::milli>(span).count());
}

std::string age(ipc::Timestamp then, ipc::Timestamp now) {
  return short_span(now - then);
}

std::string short_time(const std::string& rfc3339) {
  constexpr std::size_t to_milliseconds = 23;
  if (rfc3339.size() < to_milliseconds || rfc3339[10] != 'T') return rfc3339;
  std::string out = rfc3339.substr(5, to_milliseconds - 5);
  out[5] = ' ';
  return out;
}

std::string short_time(ipc::Timestamp at) {
  std::string text;
  supervisor::json::append_timestamp(text, at);
  return short_time(text);
}

std::string short_bytes(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text = {};
  std::snprintf(text.data(), text.size(), value < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", value,
                units[unit]);
  return text.data();
}

std::string count_of(std::uint64_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

bool has_failed(const ipc::NodeInfo& node) {
  if (node.lifecycle == Lifecycle::failed) return true;
  return node.phase == ChildPhase::stopped && node.intent == ipc::WireIntent::active &&
         node.last_exit && node.last_exit->kind != "completed" && node.last_exit->kind != "stopped";
}

std::string phase_word(const ipc::NodeInfo& node) {
  const std::string phase = to_string(node.phase);
  if (node.phase == ChildPhase::stopped && node.intent == ipc::WireIntent::stopped) {
    return phase + " by operator";
  }
  if (node.phase == ChildPhase::running && node.lifecycle == Lifecycle::ready) return "ready";
  if (node.phase == ChildPhase::stopped && has_failed(node)) return "failed";
  return phase;
}

Ink ink_of(const ipc::NodeInfo& node) {
  if (has_failed(node)) return Ink::bad;
  switch (node.lifecycle) {
    case Lifecycle::ready:
      return Ink::good;
    case Lifecycle::failed:
      return Ink::bad;
    case Lifecycle::stopped:
    case Lifecycle::pending:
      return Ink::faint;
    case Lifecycle::starting:
    case Lifecycle::running:
    case Lifecycle::backing_off:
    case Lifecycle::queued:
    case Lifecycle::stopping:
      return Ink::busy;
  }
  return Ink::plain;
}

Ink ink_of_state(const std::string& tree_state) {
  if (tree_state == "up") return Ink::good;
  return tree_state == "failed" ? Ink::bad : Ink::busy;
}

std::string restarts_text(const ipc::RestartsInfo& restarts) {
  if (restarts.limit > 0) {
    return std::to_string(restarts.used) + "/" + std::to_string(restarts.limit) + " in " +
           short_span(restarts.window_ms);
  }
  return restarts.total == 0 ? "-" : std::to_string(restarts.total);
}

std::string exit_text(const ipc::ExitInfo& exit) {
  std::string out = exit.kind;
  if (exit.signal) {
    out = "signal " + std::to_string(*exit.signal);
  } else if (exit.code) {
    out = exit.kind == "completed" ? "completed" : "exit code " + std::to_string(*exit.code);
  }
  if (!exit.category.empty() && exit.category != "none") out += " (" + exit.category + ")";
  if (exit.message && !exit.message->empty()) out += ": " + *exit.message;
  return out;
}

}  // namespace espalier::cli
