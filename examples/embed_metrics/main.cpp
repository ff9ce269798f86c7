#include <espalier/metrics.hpp>
#include <espalier/supervisor.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace metrics = espalier::metrics;
namespace sv = espalier::supervisor;
using namespace std::chrono_literals;

int main() {
  sv::ChildFactories factories;
  factories.add_blocking("pump", [](sv::ChildContext& self) {
    self.sleep_for(10ms);
    if (self.attempt() < 3) throw std::runtime_error("no pressure");
    self.sleep_for(1h);
  });
  sv::SupervisorSpec tree;
  tree.children = {{.name = "pump", .kind = sv::ChildKind::blocking, .factory = "pump"}};
  tree.children[0].policy.backoff.initial = 10ms;

  // It counts from the first event on, so it is there before the tree.
  auto counters = std::make_shared<metrics::TreeCounters>();
  sv::SupervisorOptions options;
  options.events = {counters};
  options.probes = counters;
  const auto handle = sv::Supervisor::start(tree, factories, options);
  if (!handle) return std::cerr << handle.error().message << '\n', 1;

  auto all = std::make_shared<metrics::Exposition>();
  all->add(counters);
  all->add(std::make_shared<metrics::TreeGauges>(*handle));
  all->add(std::make_shared<metrics::ProcessFigures>("1.0", "g++"));
  auto health = std::make_shared<metrics::HealthPages>(
      *handle, std::vector<metrics::HealthPages::Obstacle>{});

  metrics::HttpListener::Options http;
  http.address = *sv::parse_listen_address("127.0.0.1:0");
  http.pages["/metrics"] = [all] {
    return metrics::Page{.content_type = "text/plain; version=0.0.4", .body = all->text()};
  };
  http.pages["/healthz"] = [health] { return health->alive(); };
  http.pages["/readyz"] = [health] { return health->ready(); };
  const auto listener = metrics::HttpListener::start(std::move(http));
  if (!listener) return std::cerr << listener.error() << '\n', 1;
  std::cout << "metrics on " << (*listener)->url() << "/metrics" << std::endl;

  const std::string wanted =
      "supervisor_restart_total{path=\"/\",child=\"pump\",decision=\"restart_after\"} 2\n";
  for (int i = 0; i < 500 && all->text().find(wanted) == std::string::npos; ++i)
    std::this_thread::sleep_for(10ms);
  const bool seen = all->text().find(wanted) != std::string::npos;
  if (seen) std::cout << wanted;
  const bool stopped = static_cast<bool>(handle->shutdown({"main", "the end of the example"}));
  return seen && stopped ? 0 : 1;
}
