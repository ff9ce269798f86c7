#pragma once

#include "espalier/ipc/client/client.hpp"
#include "ipc/support/fake_server.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace espalier::ipc::testing {

/// A client, and a target that plays a script.
class ClientTest : public ::testing::Test {
 protected:
  /// Serves one script after a proper hello.
  FakeServer& serve(FakeServer::Script script) {
    return serve_all({[script = std::move(script)](FakePeer& peer) {
      peer.greet();
      script(peer);
    }});
  }
  FakeServer& serve_all(std::vector<FakeServer::Script> scripts) {
    server_ = std::make_unique<FakeServer>(path_, std::move(scripts));
    return *server_;
  }
  [[nodiscard]] expected<Client, ClientError> try_connect(
      supervisor::Duration limit = std::chrono::seconds{5}) const {
    return Client::connect({.path = path_, .client = "test", .timeout = limit});
  }
  [[nodiscard]] Client connect(supervisor::Duration limit = std::chrono::seconds{5}) const {
    auto client = try_connect(limit);
    if (!client) throw std::runtime_error(client.error().message);
    return std::move(*client);
  }

  SocketFolder folder_;
  std::string path_ = folder_.path("shop.sock");
  std::unique_ptr<FakeServer> server_;
};

}  // namespace espalier::ipc::testing
