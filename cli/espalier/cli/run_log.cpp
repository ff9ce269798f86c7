#include "espalier/cli/run_log.hpp"

#include "espalier/cli/console.hpp"

#include <unistd.h>

#include <utility>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

sv::LogRate rate_of(const sv::LineRate& rate) {
  return {rate.lines, rate.window};
}

spdlog::level::level_enum level_of(sv::Severity severity) {
  switch (severity) {
    case sv::Severity::debug:
      return spdlog::level::debug;
    case sv::Severity::info:
      return spdlog::level::info;
    case sv::Severity::warning:
      return spdlog::level::warn;
    case sv::Severity::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

RunLog::RunLog(const sv::TreeConfig& config, const RunOptions& options)
    : spec_(config.observability.logs),
      format_(log_format_of(options.log_format.empty() ? spec_.format : options.log_format)) {
  const bool chosen =
      options.log_format.empty() ? spec_.format != "auto" : options.log_format != "auto";
  to_.file = spec_.file;
  to_.format = spec_.file.empty() || chosen ? format_ : sv::LogFormat::json;
  to_.level = severity_of_word(spec_.level);
  to_.color = spec_.file.empty() && wants_color(options.color, STDERR_FILENO);
  const auto& id = config.dashboard.target_id;
  lines_ = {to_.format, rate_of(spec_.event_rate), rate_of(spec_.output_rate),
            id.empty() ? config.tree.name : id};
}

std::optional<std::string> RunLog::open(bool screen_is_taken) {
  if (spec_.file.empty() && screen_is_taken) return std::nullopt;
  auto output = sv::LogOutput::open(to_);
  if (!output) return output.error();
  output_.emplace(std::move(*output));
  sink_ = std::make_shared<sv::LogSink>(output_->logger(), lines_);
  return std::nullopt;
}

void RunLog::note(sv::Severity severity, const std::string& text) const {
  if (output_) output_->logger()->log(level_of(severity), text);
}

void RunLog::reopen() {
  if (output_) output_->reopen();
}

void RunLog::tick() {
  if (sink_) sink_->tick();
}

void RunLog::close() {
  sink_.reset();
  output_.reset();
}

std::uint64_t RunLog::lost_lines() const {
  return output_ ? output_->lost_lines() : 0;
}

std::uint64_t RunLog::left_out_lines() const {
  return sink_ ? sink_->left_out_lines() : 0;
}

}  // namespace espalier::cli
