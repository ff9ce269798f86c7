#include "espalier/supervisor/config/collector_address.hpp"

#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

std::string parts(const std::string& url) {
  const auto address = parse_collector(url);
  return address ? address->host + " " + address->port + " " + address->path : address.error();
}

TEST(CollectorAddress, HasDefaultsAsTheProtocolHasThem) {
  EXPECT_EQ(parts("http://127.0.0.1:4318/v1/traces"), "127.0.0.1 4318 /v1/traces");
  EXPECT_EQ(parts("http://otel"), "otel 4318 /v1/traces");
  EXPECT_EQ(parts("http://otel:9/"), "otel 9 /v1/traces");
  EXPECT_EQ(parts("http://[::1]:9/x?y=1"), "::1 9 /x?y=1");
  EXPECT_EQ(parts("http://[::1]"), "::1 4318 /v1/traces");
}

TEST(CollectorAddress, SaysWhatIsWrong) {
  const auto complains = [](const std::string& url, const std::string& about) {
    return parts(url).find(about) != std::string::npos;
  };
  EXPECT_TRUE(complains("https://otel", "TLS"));
  EXPECT_TRUE(complains("otel:4318", "http://"));
  EXPECT_TRUE(complains("http://", "names no machine"));
  EXPECT_TRUE(complains("http://:4318", "names no machine"));
  EXPECT_TRUE(complains("http://otel:0", "port"));
  EXPECT_TRUE(complains("http://otel:65536", "port"));
  EXPECT_TRUE(complains("http://otel:", "port"));
  EXPECT_TRUE(complains("http://otel:x", "port"));
  EXPECT_TRUE(complains("http://user@otel", "does not belong"));
  EXPECT_TRUE(complains("http://otel/a b", "does not belong"));
  EXPECT_TRUE(complains("http://otel/a\r\nX: y", "does not belong"));
}

}  // namespace
}  // namespace espalier::supervisor
