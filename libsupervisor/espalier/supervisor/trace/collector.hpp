#pragma once

#include "espalier/supervisor/config/collector_address.hpp"
#include "espalier/supervisor/trace/span_outlet.hpp"

#include <string>

namespace espalier::supervisor {

/// Sends one request to a collector that speaks OTLP over HTTP, and waits for its answer: five
/// seconds at most, besides the look-up of its name. What the collector refuses for good is not to
/// be tried again; what it cannot take now is. Any thread.
[[nodiscard]] SpanOutlet::Outcome send_to_collector(const CollectorAddress& address,
                                                    const std::string& request);

}  // namespace espalier::supervisor
