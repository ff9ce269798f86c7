#include "libsupervisor/config/support/load.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;

std::string with_dashboard(const std::string& fields) {
  return "supervisor: {name: shop}\ndashboard: " + fields + "\nchildren: []\n";
}

DashboardSpec dashboard(const std::string& fields) {
  return load(with_dashboard(fields)).dashboard;
}

TEST(Dashboard, is_off_without_the_section_and_on_with_it) {
  EXPECT_EQ(load("children: []").dashboard, DashboardSpec{});
  EXPECT_FALSE(load("children: []").dashboard.enabled);
  EXPECT_TRUE(dashboard("").enabled);
  EXPECT_TRUE(dashboard("{}").enabled);
  EXPECT_TRUE(dashboard("{enabled: true}").enabled);
  EXPECT_FALSE(dashboard("{enabled: false}").enabled);
}

constexpr const char* every_field = R"({
  target_id: shop-a, display_name: "Shop, first floor", path: /run/shop/s.sock,
  permissions: "0660", bind_mode: create_new, log_capacity: 7,
  security: {
    read: {uids: [1001, 1002], gids: [50]}, write: {uids: [1002]}, dangerous: {gids: [60]},
    max_line_bytes: 8KiB, requests_per_second: 0.5, request_burst: 3,
    uid_requests_per_second: 9, uid_request_burst: 4,
    max_connections: 12, max_connections_per_uid: 5,
    idle_timeout: 0s, line_timeout: 1s, stall_timeout_ms: 2500,
    max_queued_bytes: 1MiB, max_queued_events: 11, replay_window: 4s, command_lifetime: 5m,
    allowed_commands: [/bin/sleep, rsync], audit_file: /var/log/shop.audit, audit_capacity: 13},
  registration: {path: /run/relay.sock, lease: 10s, initial_backoff: 20ms, max_backoff: 2s}})";

TEST(Dashboard, takes_every_field) {
  const auto spec = dashboard(every_field);
  EXPECT_EQ(spec.target_id, "shop-a");
  EXPECT_EQ(spec.display_name, "Shop, first floor");
  EXPECT_EQ(spec.path, "/run/shop/s.sock");
  EXPECT_EQ(spec.permissions, 0660U);
  EXPECT_EQ(spec.bind_mode, BindMode::create_new);
  EXPECT_EQ(spec.log_capacity, 7U);
  EXPECT_EQ(spec.registration, (RegistrationSpec{"/run/relay.sock", 10s, 20ms, 2s}));
}

TEST(Dashboard, takes_every_field_of_security) {
  const auto security = dashboard(every_field).security;
  EXPECT_EQ(security.read, (PeerRule{{1001, 1002}, {50}}));
  EXPECT_EQ(security.write, (PeerRule{{1002}, {}}));
  EXPECT_EQ(security.dangerous, (PeerRule{{}, {60}}));
  EXPECT_EQ(security.max_line_bytes, 8192U);
  EXPECT_EQ(security.requests_per_second, 0.5);
  EXPECT_EQ(security.request_burst, 3U);
  EXPECT_EQ(security.uid_requests_per_second, 9);
  EXPECT_EQ(security.uid_request_burst, 4U);
  EXPECT_EQ(security.max_connections, 12U);
  EXPECT_EQ(security.max_connections_per_uid, 5U);
  EXPECT_EQ(security.idle_timeout, 0s);
  EXPECT_EQ(security.line_timeout, 1s);
  EXPECT_EQ(security.stall_timeout, 2500ms);
  EXPECT_EQ(security.max_queued_bytes, 1U << 20U);
  EXPECT_EQ(security.max_queued_events, 11U);
  EXPECT_EQ(security.replay_window, 4s);
  EXPECT_EQ(security.command_lifetime, 5min);
  EXPECT_EQ(security.allowed_commands, (std::vector<std::string>{"/bin/sleep", "rsync"}));
  EXPECT_EQ(security.audit_file, "/var/log/shop.audit");
  EXPECT_EQ(security.audit_capacity, 13U);
}

TEST(Dashboard, permissions_are_octal_however_they_are_written) {
  for (const auto* text : {"\"0640\"", "0640", "640", "0o640", "\"0o640\""}) {
    EXPECT_EQ(dashboard("{permissions: " + std::string(text) + "}").permissions, 0640U) << text;
  }
}

TEST(Dashboard, accounts_may_be_named) {
  const passwd* user = ::getpwuid(::getuid());
  const group* users = ::getgrgid(::getgid());
  ASSERT_NE(user, nullptr);
  ASSERT_NE(users, nullptr);
  const auto rule = dashboard("{security: {write: {uids: [" + std::string(user->pw_name) +
                              ", 4294967294], gids: [" + users->gr_name + "]}}}")
                        .security.write;
  EXPECT_EQ(rule, (PeerRule{{::getuid(), 4294967294U}, {::getgid()}}));
}

TEST(Dashboard, allowed_accounts_are_those_that_may_read) {
  const auto security = dashboard("{security: {allowed_uids: [5], allowed_gids: [6, 7]}}").security;
  EXPECT_EQ(security.read, (PeerRule{{5}, {6, 7}}));
  EXPECT_EQ(security.write, PeerRule{});
}

TEST(Dashboard, a_path_may_hold_variables) {
  const auto config =
      load(with_dashboard("{path: \"${DIR}/s.sock\"}"), options_with({{"DIR", "/run/x"}}));
  EXPECT_EQ(config.dashboard.path, "/run/x/s.sock");
  EXPECT_EQ(faults(with_dashboard("{path: \"${DIR}/s.sock\"}"), options_with({{"DIR", "x"}})),
            "t.yaml:2:19: dashboard.path: expected an absolute path of at most 107 bytes, got "
            "\"x/s.sock\"\n");
}

TEST(Dashboard, variables_override_it_and_switch_it_on) {
  const auto config =
      load("children: []", options_with({{"ESPALIER__DASHBOARD__PATH", "/run/e.sock"},
                                         {"ESPALIER__DASHBOARD__SECURITY__LINE_TIMEOUT_MS", "9"}},
                                        true));
  EXPECT_TRUE(config.dashboard.enabled);
  EXPECT_EQ(config.dashboard.path, "/run/e.sock");
  EXPECT_EQ(config.dashboard.security.line_timeout, 9ms);
  EXPECT_EQ(field_of(config, "dashboard.path"), "\"/run/e.sock\" (ESPALIER__DASHBOARD__PATH)");
}

TEST(Dashboard, the_effective_section_loads_to_the_same) {
  const auto first = load(with_dashboard(every_field));
  const auto text = render_effective(first);
  EXPECT_EQ(load(text).dashboard, first.dashboard) << text;
  EXPECT_NE(text.find("  permissions: \"0660\"  # t.yaml:"), std::string::npos) << text;

  const auto off = load(with_dashboard("{enabled: false, log_capacity: 7}"));
  EXPECT_EQ(load(render_effective(off)).dashboard, off.dashboard);
  const auto plain = load(with_dashboard(""));
  EXPECT_EQ(load(render_effective(plain)).dashboard, plain.dashboard);
  EXPECT_EQ(render_effective(load("children: []")).find("dashboard"), std::string::npos);
}

TEST(Dashboard, an_identifier_has_its_bounds) {
  const std::string longest(64, 'a');
  EXPECT_EQ(dashboard("{target_id: " + longest + "}").target_id, longest);
  EXPECT_NE(faults(with_dashboard("{target_id: " + longest + "a}")).find("at most 64 bytes"),
            std::string::npos);
  const std::string path = "/" + std::string(106, 'p');
  EXPECT_EQ(dashboard("{path: " + path + "}").path, path);
  EXPECT_NE(faults(with_dashboard("{path: " + path + "p}")).find("at most 107 bytes"),
            std::string::npos);
}

TEST(Dashboard, a_name_too_long_for_an_identifier_needs_one) {
  const std::string text = "supervisor: {name: " + std::string(65, 'a') + "}\nchildren: []\n";
  EXPECT_EQ(faults(text), "");
  EXPECT_EQ(faults(text + "dashboard: {target_id: a}\n"), "");
  EXPECT_EQ(faults(text + "dashboard: {enabled: false}\n"), "");
  EXPECT_NE(faults(text + "dashboard: {}\n").find("t.yaml:3:12: dashboard.target_id: the root's"),
            std::string::npos);
}

}  // namespace
}  // namespace espalier::supervisor
