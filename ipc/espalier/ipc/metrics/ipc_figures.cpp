#include "espalier/ipc/metrics/ipc_figures.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace espalier::ipc {

namespace {

using metrics::Family;
using metrics::Type;

enum Name : std::size_t {
  connections,
  connections_total,
  refusals,
  requests,
  subscribers,
  dropped
};

constexpr std::array<Family, dropped + 1> all = {{
    {"espalier_ipc_connections", "Connections to the socket.", Type::gauge, ""},
    {"espalier_ipc_connections_total", "Connections that were let in.", Type::counter, ""},
    {"espalier_ipc_refused_connections_total", "Peers that were not let in.", Type::counter,
     "reason"},
    {"espalier_ipc_requests_total", "Requests, by what came of them.", Type::counter,
     "method,result"},
    {"espalier_ipc_subscriptions", "Subscriptions to states, events and log lines.", Type::gauge,
     ""},
    {"espalier_ipc_dropped_lines_total", "Lines of subscriptions that readers were too slow for.",
     Type::counter, ""},
}};

void write_requests(metrics::Writer& to, const ServiceFigures& figures, std::string_view name,
                    const MethodInfo* method) {
  const auto one = [&](std::optional<ErrorCode> error, std::string_view result) {
    const auto n = figures.requests(method, error);
    if (n != 0) to.sample({{"method", name}, {"result", result}}, static_cast<double>(n));
  };
  one({}, "ok");
  for (std::size_t i = 0; i < ServiceFigures::error_codes; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    one(code, to_string(code));
  }
}

}  // namespace

void IpcFigures::write(metrics::Writer& to) const {
  const auto one = [&](Name name, std::uint64_t n) {
    to.family(all[name]);
    to.sample({}, static_cast<double>(n));
  };
  one(connections, figures_->connections());
  one(connections_total, figures_->connections_total());
  to.family(all[refusals]);
  for (std::size_t i = 0; i < ServiceFigures::error_codes; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    const auto n = figures_->refusals(code);
    if (n != 0) to.sample({{"reason", to_string(code)}}, static_cast<double>(n));
  }
  to.family(all[requests]);
  for (const auto& method : methods())
    write_requests(to, *figures_, method.name, &method);
  write_requests(to, *figures_, "(unknown)", nullptr);
  one(subscribers, figures_->subscriptions());
  one(dropped, figures_->dropped());
}

std::span<const Family> IpcFigures::families() {
  return all;
}

}  // namespace espalier::ipc
