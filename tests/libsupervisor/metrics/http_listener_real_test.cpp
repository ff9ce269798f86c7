#include "espalier/metrics/http_listener.hpp"
#include "libsupervisor/metrics/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace espalier::metrics {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::HttpClient;
using ::testing::Not;
using ::testing::StartsWith;

class HttpListenerTest : public ::testing::Test {
 protected:
  static HttpListener::Options options(const std::string& address = "127.0.0.1:0") {
    HttpListener::Options result;
    result.address = *supervisor::parse_listen_address(address);
    result.pages = {{"/metrics", [] { return Page{.body = "x 1\n"}; }},
                    {"/readyz", [] { return Page{.status = 503, .body = "not yet\n"}; }},
                    {"/broken", []() -> Page { throw std::runtime_error("no luck"); }}};
    return result;
  }
  void start(HttpListener::Options wanted = options()) {
    auto started = HttpListener::start(std::move(wanted));
    ASSERT_TRUE(started) << started.error();
    listener_ = std::move(*started);
  }
  /// The whole answer to one request.
  [[nodiscard]] std::string ask(const std::string& request) const {
    HttpClient client{listener_->url()};
    client.send(request);
    return client.read_all();
  }
  [[nodiscard]] std::string get(const std::string& path, const std::string& method = "GET") const {
    return ask(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }
  static std::string file(const std::string& name) {
    return std::string{::testing::TempDir()} + "http_" + std::to_string(::getpid()) + name;
  }

  std::unique_ptr<HttpListener> listener_;
};

TEST_F(HttpListenerTest, AnswersAPageWithItsStatusAndType) {
  start();
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(get("/metrics"), HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(get("/metrics?x=1"), ::testing::EndsWith("\r\n\r\nx 1\n"));
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(get("/readyz"), ::testing::EndsWith("not yet\n"));
}

TEST_F(HttpListenerTest, AnswersHeadWithTheLengthAndNoBody) {
  start();
  const auto answer = get("/metrics", "HEAD");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpListenerTest, SaysWhichPagesThereAreAndWhichMethods) {
  start();
  EXPECT_THAT(get("/nothing"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/nothing"), HasSubstr("there are /broken, /metrics, /readyz"));
  EXPECT_THAT(get("/metrics", "DELETE"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(get("/metrics", "DELETE"), HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(HttpListenerTest, AnswersWithAnErrorWhereAPageCannotBeMade) {
  start();
  EXPECT_THAT(get("/broken"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(get("/broken"), HasSubstr("no luck"));
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, AnswersSeveralRequestsOnOneConnection) {
  start();
  HttpClient client{listener_->url()};
  for (int i = 0; i < 3; ++i) {
    client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.read_until("x 1\n"), StartsWith("HTTP/1.1 200 "));
  }
}

TEST_F(HttpListenerTest, RefusesWhatIsNoRequest) {
  start();
  EXPECT_THAT(ask("what is this\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, RefusesAHeaderThatIsTooLong) {
  start();
  const auto answer = ask("GET /metrics HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpListenerTest, LetsASlowClientWaitAloneAndThenGo) {
  auto wanted = options();
  wanted.timeout = 300ms;
  start(std::move(wanted));
  HttpClient slow{listener_->url()};
  slow.send("GET /metr");
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 250ms);
  EXPECT_EQ(slow.read_all(), "");  // Closed, without a word.
  EXPECT_GE(std::chrono::steady_clock::now() - began, 250ms);
}

TEST_F(HttpListenerTest, ClosesAClientThatTakesNothing) {
  auto wanted = options();
  wanted.timeout = 300ms;
  wanted.pages["/large"] = [] { return Page{.body = std::string(64UL << 20U, 'x')}; };
  start(std::move(wanted));
  HttpClient slow{listener_->url()};
  slow.send("GET /large HTTP/1.1\r\n\r\n");
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
  std::this_thread::sleep_for(600ms);
  EXPECT_LT(slow.read_all().size(), 64UL << 20U);
}

TEST_F(HttpListenerTest, SendsConnectionsAwayThatAreTooMany) {
  auto wanted = options();
  wanted.max_connections = 2;
  start(std::move(wanted));
  auto first = std::make_unique<HttpClient>(listener_->url());
  HttpClient second{listener_->url()};
  for (auto* client : {first.get(), &second}) {
    client->send("GET /metrics HTTP/1.1\r\n\r\n");
    EXPECT_THAT(client->read_until("x 1\n"), StartsWith("HTTP/1.1 200 "));
  }
  HttpClient third{listener_->url()};
  EXPECT_THAT(third.read_all(), HasSubstr("too many connections"));
  first.reset();
  std::string answer;
  for (int i = 0; i < 100 && !answer.starts_with("HTTP/1.1 200 "); ++i) {
    std::this_thread::sleep_for(10ms);
    answer = get("/metrics");
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, SaysWhichAddressIsTaken) {
  start();
  const auto taken = listener_->url().substr(std::string{"http://"}.size());
  const auto second = HttpListener::start(options(taken));
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr(taken));
  EXPECT_THAT(second.error(), HasSubstr("another program has this port"));
}

TEST_F(HttpListenerTest, ListensOnIpv6) {
  auto wanted = options();
  wanted.address = *supervisor::parse_listen_address("[::1]:0");
  auto started = HttpListener::start(std::move(wanted));
  if (!started) GTEST_SKIP() << "no IPv6 here: " << started.error();
  listener_ = std::move(*started);
  EXPECT_THAT(listener_->url(), StartsWith("http://[::1]:"));
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, ListensOnASocketForItsOwnUserOnlyAndRemovesIt) {
  const auto path = file(".sock");
  start(options("unix:" + path));
  EXPECT_EQ(listener_->url(), "unix:" + path);
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
  listener_.reset();
  EXPECT_NE(::stat(path.c_str(), &found), 0);
}

TEST_F(HttpListenerTest, ReplacesASocketThatNobodyAnswersOn) {
  const auto path = file("_stale.sock");
  testing::make_stale_socket(path);
  start(options("unix:" + path));
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, LeavesASocketAloneThatSomebodyAnswersOn) {
  const auto path = file("_used.sock");
  start(options("unix:" + path));
  const auto second = HttpListener::start(options("unix:" + path));
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("somebody answers there"));
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, LeavesAFileAloneThatIsNoSocket) {
  const auto path = file("_file");
  std::ofstream{path} << "precious";
  const auto started = HttpListener::start(options("unix:" + path));
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error(), HasSubstr("something else"));
  std::string text;
  std::ifstream{path} >> text;
  EXPECT_EQ(text, "precious");
  ::unlink(path.c_str());
}

TEST_F(HttpListenerTest, SaysWhatIsMissingForASocket) {
  const auto started = HttpListener::start(options("unix:/nowhere/at/all.sock"));
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error(), HasSubstr("unix:/nowhere/at/all.sock"));
  EXPECT_THAT(started.error(), HasSubstr("the folder must be there"));
}

TEST_F(HttpListenerTest, TakesASocketThatTheServiceManagerHasBound) {
  std::string url;
  HttpListener::Options wanted = options();
  wanted.given = testing::make_listener(url);
  start(std::move(wanted));
  EXPECT_EQ(listener_->url(), url);
  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, EndsThoughClientsAreConnected) {
  start();
  HttpClient idle{listener_->url()};
  idle.send("GET /metr");
  const auto began = std::chrono::steady_clock::now();
  listener_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  EXPECT_EQ(idle.read_all(), "");
}

}  // namespace
}  // namespace espalier::metrics
