#pragma once

#include "espalier/supervisor/core/spec.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <utility>

namespace espalier::supervisor::internal {

struct ProbeAnswer {
  bool ok = false;
  std::string message = {};
};

/// What a probe does, as its messages begin: "connect to 127.0.0.1:80".
[[nodiscard]] std::string subject_of(const ProbeSpec& spec);

/// Runs a probe of kind tcp or http. Terminal cancellation ends it at once. Throws nothing. The
/// message follows that subject and a colon.
[[nodiscard]] boost::asio::awaitable<ProbeAnswer> run_net_probe(
    std::shared_ptr<const ProbeSpec> spec);

/// What the first line of an HTTP answer says: well from 200 to 399.
[[nodiscard]] ProbeAnswer judge_status_line(const std::string& line);

}  // namespace espalier::supervisor::internal
