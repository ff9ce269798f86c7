#include "espalier/ipc/metrics/ipc_figures.hpp"

#include "espalier/ipc/core/service.hpp"
#include "ipc/support/conversation.hpp"
#include "libsupervisor/metrics/scrape.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace espalier::ipc {
namespace {

using metrics::testing::value_of;

class IpcFiguresTest : public ::testing::Test {
 protected:
  ConnectionId open(std::uint32_t uid = 0) {
    const auto admission =
        service_.open({.pid = 100, .uid = uid, .gid = uid}, target_.now(), target_.wall());
    return admission.id.value_or(0);
  }
  void ask(ConnectionId id, const std::string& line) {
    service_.receive(id, line + "\n", target_.now(), target_.wall());
    static_cast<void>(service_.touched());
  }
  std::string value(const std::string& series) { return value_of(source_, series); }
  static supervisor::DashboardSpec small_queues() {
    supervisor::DashboardSpec spec;
    spec.security.max_queued_events = 1;
    return spec;
  }

  testing_support::FakeTarget target_ = {};
  testing_support::BreakableStore audit_ = {};
  std::shared_ptr<ServiceFigures> figures_ = std::make_shared<ServiceFigures>();
  IpcFigures source_{figures_};
  Service service_{Service::Options{.spec = small_queues(), .own_uid = 500, .figures = figures_},
                   target_, audit_, ChainHead{}, [](const auto& work) { work(); }};
};

TEST_F(IpcFiguresTest, CountsConnectionsWhileTheyLastAndForEver) {
  const auto one = open();
  open();
  EXPECT_EQ(value("espalier_ipc_connections"), "2");
  service_.close(one);
  EXPECT_EQ(value("espalier_ipc_connections"), "1");
  EXPECT_EQ(value("espalier_ipc_connections_total"), "2");
}

TEST_F(IpcFiguresTest, CountsPeersThatAreNotLetInByReason) {
  EXPECT_EQ(open(4242), 0U);
  EXPECT_EQ(value("espalier_ipc_refused_connections_total{reason=\"forbidden\"}"), "1");
  EXPECT_EQ(value("espalier_ipc_connections_total"), "0");
}

TEST_F(IpcFiguresTest, CountsRequestsByMethodAndResult) {
  const auto id = open();
  ask(id, R"({"request_id":"1","method":"ping"})");
  ask(id, R"({"request_id":"2","method":"ping","params":{"x":1}})");
  ask(id, R"({"request_id":"3","method":"tea"})");
  ask(id, "garbage");
  EXPECT_EQ(value("espalier_ipc_requests_total{method=\"ping\",result=\"ok\"}"), "1");
  EXPECT_EQ(value("espalier_ipc_requests_total{method=\"ping\",result=\"invalid_params\"}"), "1");
  EXPECT_EQ(value("espalier_ipc_requests_total{method=\"(unknown)\",result=\"unknown_method\"}"),
            "1");
  EXPECT_EQ(value("espalier_ipc_requests_total{method=\"(unknown)\",result=\"invalid_json\"}"),
            "1");
}

TEST_F(IpcFiguresTest, CountsACommandThatWasBegunAndOneThatWasRefused) {
  const auto id = open();
  const std::string params = R"("params":{"path":"/db","reason":"x","requested_by":"me"}})";
  ask(id, R"({"request_id":"1","method":"command.restart_child",)" + params);
  ask(id, R"({"request_id":"2","method":"command.remove_child",)" + params);
  const std::string series = "espalier_ipc_requests_total{method=\"command.";
  EXPECT_EQ(value(series + "restart_child\",result=\"ok\"}"), "1");
  EXPECT_EQ(value(series + "remove_child\",result=\"not_confirmed\"}"), "1");
  EXPECT_EQ(value(series + "remove_child\",result=\"ok\"}"), "none");
}

TEST_F(IpcFiguresTest, CountsSubscriptionsUntilTheirConnectionGoes) {
  const auto id = open();
  ask(id, R"({"request_id":"1","method":"events.subscribe"})");
  ask(id, R"({"request_id":"2","method":"state.subscribe"})");
  EXPECT_EQ(value("espalier_ipc_subscriptions"), "2");
  ask(id, R"({"request_id":"3","method":"unsubscribe","params":{"subscription_id":"s1"}})");
  EXPECT_EQ(value("espalier_ipc_subscriptions"), "1");
  service_.close(id);
  EXPECT_EQ(value("espalier_ipc_subscriptions"), "0");
}

TEST_F(IpcFiguresTest, CountsLinesThatAReaderWasTooSlowFor) {
  const auto id = open();
  ask(id, R"({"request_id":"1","method":"logs.tail","params":{"follow":true}})");
  EXPECT_EQ(value("espalier_ipc_dropped_lines_total"), "0");
  for (int i = 0; i < 50; ++i)
    target_.write("/db", LogStream::out, "line " + std::to_string(i));
  target_.advance(std::chrono::seconds{1});
  service_.wake(target_.now(), target_.wall());
  static_cast<void>(service_.touched());
  EXPECT_GT(std::stoi(value("espalier_ipc_dropped_lines_total")), 40);
}

TEST(ServiceFigures, HasRoomForEveryMethod) {
  EXPECT_LT(methods().size(), ServiceFigures::most_methods);
  ServiceFigures figures;
  figures.requested(&methods().back(), {});
  EXPECT_EQ(figures.requests(&methods().back(), {}), 1U);
  EXPECT_EQ(figures.requests(nullptr, {}), 0U);
}

}  // namespace
}  // namespace espalier::ipc
