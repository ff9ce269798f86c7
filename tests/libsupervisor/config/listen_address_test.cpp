#include "espalier/supervisor/config/listen_address.hpp"

#include "espalier/supervisor/config/tree_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace espalier::supervisor {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::string& text) {
  const auto address = parse_listen_address(text);
  return address ? "fine: " + address->text() : address.error();
}

/// A tree that listens there, as a file says it.
auto load(const std::string& listen) {
  return load_tree_text("observability:\n  metrics:\n    listen: \"" + listen +
                            "\"\nchildren:\n  - {name: x, kind: process, command: [/bin/true]}\n",
                        "shop.yaml", {});
}

TEST(ListenAddress, ReadsAddressesWithPorts) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:9464")->port, 9464);
  EXPECT_EQ(parse_listen_address("localhost:0")->text(), "127.0.0.1:0");
  EXPECT_EQ(parse_listen_address("[::1]:65535")->text(), "[::1]:65535");
  EXPECT_EQ(parse_listen_address("[::1]:65535")->host, "::1");
}

TEST(ListenAddress, ReadsPathsOfSockets) {
  EXPECT_EQ(parse_listen_address("unix:/run/x.sock")->unix_path, "/run/x.sock");
  EXPECT_EQ(parse_listen_address("unix:/run/x.sock")->text(), "unix:/run/x.sock");
}

TEST(ListenAddress, KnowsWhatOtherMachinesCanReach) {
  EXPECT_TRUE(parse_listen_address("127.3.2.1:1")->is_loopback);
  EXPECT_TRUE(parse_listen_address("[::1]:1")->is_loopback);
  EXPECT_TRUE(parse_listen_address("unix:/x")->is_loopback);
  EXPECT_FALSE(parse_listen_address("0.0.0.0:1")->is_loopback);
  EXPECT_FALSE(parse_listen_address("[::]:1")->is_loopback);
  EXPECT_FALSE(parse_listen_address("192.0.2.1:1")->is_loopback);
}

TEST(ListenAddress, SaysWhatIsWrongAndHowItIsWritten) {
  EXPECT_THAT(error_of("9464"), HasSubstr("'9464' has no port"));
  EXPECT_THAT(error_of("127.0.0.1:x"), HasSubstr("'x' is no port"));
  EXPECT_THAT(error_of("127.0.0.1:65536"), HasSubstr("'65536' is no port"));
  EXPECT_THAT(error_of("127.0.0.1:"), HasSubstr("'' is no port"));
  EXPECT_THAT(error_of("example.org:80"), HasSubstr("no IP address in numbers"));
  EXPECT_THAT(error_of("::1:80"), HasSubstr("in brackets"));
  EXPECT_THAT(error_of("[127.0.0.1]:80"), HasSubstr("in brackets"));
  EXPECT_THAT(error_of("unix:x.sock"), HasSubstr("must begin with /"));
  EXPECT_THAT(error_of("unix:/run/"), HasSubstr("folder"));
  EXPECT_THAT(error_of("unix:/" + std::string(200, 'x')), HasSubstr("at most 107"));
  EXPECT_THAT(error_of("x"), HasSubstr("write 127.0.0.1:9464, [::1]:9464 or unix:/PATH"));
}

TEST(ListenAddress, IsCheckedInATreeFileAtItsPlace) {
  const auto config = load("127.0.0.1");
  ASSERT_FALSE(config);
  ASSERT_EQ(config.error().size(), 1U);
  EXPECT_THAT(config.error()[0].to_string(),
              HasSubstr("shop.yaml:3:13: observability.metrics.listen: '127.0.0.1' has no port"));
}

TEST(ListenAddress, IsWarnedOfInATreeFileWhereOthersCanReachIt) {
  const auto config = load("0.0.0.0:9464");
  ASSERT_TRUE(config);
  ASSERT_EQ(config->warnings.size(), 1U);
  EXPECT_THAT(config->warnings[0].to_string(),
              HasSubstr("shop.yaml:3:13: observability.metrics.listen: whoever reaches"));
  EXPECT_TRUE(load("127.0.0.1:9464")->warnings.empty());
}

}  // namespace
}  // namespace espalier::supervisor
