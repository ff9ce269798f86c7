#include "espalier/supervisor/runtime/dynamic_registry.hpp"
#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;

class DynamicRegistryReal : public RuntimeFixture {
 protected:
  DynamicRegistryReal() {
    std::string name = (std::filesystem::temp_directory_path() / "registry-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    file_ = folder_ + "/children.yaml";
    factories_.add_blocking("once", [](ChildContext&) {});
    factories_.add_blocking("broken", [](ChildContext&) { throw std::runtime_error("no"); });
  }
  ~DynamicRegistryReal() override { std::filesystem::remove_all(folder_); }

  SupervisorHandle begin(SupervisorSpec spec = {}) {
    auto settings = options();
    settings.dynamic_registry = file_;
    auto handle = Supervisor::start(std::move(spec), factories_, settings);
    EXPECT_TRUE(handle) << handle.error().message;
    return *handle;
  }
  static std::string text_of(const std::string& path) {
    std::ifstream input(path, std::ios::binary);
    std::ostringstream text;
    text << input.rdbuf();
    return text.str();
  }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  static bool has(const SupervisorHandle& handle, const std::string& path) {
    return handle.current_state({.path = path, .depth = 0}).has_value();
  }
  /// What the registry told, one a line.
  [[nodiscard]] std::string told() const {
    std::string all;
    for (const auto& done : sink_->bodies<events::CommandDone>("/")) {
      if (done.requested_by == "registry" && done.command == "keep")
        all += done.child + " " + done.result + ": " + done.text + "\n";
    }
    return all;
  }

  std::string folder_;
  std::string file_;
};

TEST_F(DynamicRegistryReal, added_children_are_back_after_a_restart) {
  {
    const auto handle = begin({.children = {actor("fixed"), subtree("below", {})}});
    ASSERT_TRUE(handle.add_child("/", blocking("a"), meta_));
    ASSERT_TRUE(handle.add_child("/below", shell("b", "exec sleep 60"), meta_));
    ASSERT_TRUE(handle.add_child("/", subtree("c", {.children = {actor("d")}}), meta_));
    ASSERT_TRUE(handle.add_child("/c", actor("e"), meta_));
    ASSERT_TRUE(handle.add_child("/", actor("gone"), meta_));
    ASSERT_TRUE(handle.remove_child("/gone", meta_));
    EXPECT_EQ(text_of(file_).find("gone"), std::string::npos);
    ASSERT_TRUE(handle.shutdown(meta_));
  }
  const auto permissions = std::filesystem::status(file_).permissions();
  EXPECT_EQ(permissions, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto handle = begin({.children = {actor("fixed"), subtree("below", {})}});
  for (const auto* path : {"/a", "/below/b", "/c/d", "/c/e"})
    EXPECT_TRUE(has(handle, path)) << path;
  EXPECT_FALSE(has(handle, "/gone"));
  EXPECT_EQ(told(), "");
  ASSERT_TRUE(handle.remove_child("/c", meta_));
  EXPECT_EQ(text_of(file_).find("parent: \"/c\""), std::string::npos) << text_of(file_);
  ASSERT_TRUE(handle.shutdown(meta_));
}

TEST_F(DynamicRegistryReal, a_changed_policy_and_a_scaled_pool_are_kept) {
  auto pool = std::make_shared<PoolSpec>();
  pool->child = actor("member");
  pool->size = 1;
  {
    const auto handle = begin();
    ASSERT_TRUE(handle.add_child("/", actor("a"), meta_));
    ASSERT_TRUE(handle.add_child(
        "/", {.name = "p", .kind = ChildKind::pool, .policy = quick_policy(), .pool = pool},
        meta_));
    auto policy = quick_policy();
    policy.restart = RestartType::transient;
    ASSERT_TRUE(handle.set_policy("/a", policy, meta_));
    ASSERT_TRUE(handle.scale_pool("/p", 3, meta_));
    ASSERT_TRUE(handle.shutdown(meta_));
  }
  const auto handle = begin();
  const auto state = handle.current_state({.path = "/p", .depth = 1});
  ASSERT_TRUE(state);
  EXPECT_EQ(state->nodes.size(), 4U);
  EXPECT_NE(text_of(file_).find("restart: transient"), std::string::npos);
  ASSERT_TRUE(handle.shutdown(meta_));
}

TEST_F(DynamicRegistryReal, a_forgotten_temporary_child_is_forgotten_here_too) {
  const auto handle = begin();
  auto child = blocking("brief", "once");
  child.policy.restart = RestartType::temporary;
  ASSERT_TRUE(handle.add_child("/", child, meta_));
  ASSERT_TRUE(handle.add_child("/", actor("stays"), meta_));
  ASSERT_TRUE(sink_->wait_for("/brief", "child_removed"));
  ASSERT_TRUE(handle.shutdown(meta_));
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (text_of(file_).find("brief") != std::string::npos &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(text_of(file_).find("brief"), std::string::npos);
  EXPECT_NE(text_of(file_).find("stays"), std::string::npos);
}

TEST_F(DynamicRegistryReal, what_no_longer_fits_is_told_and_put_aside) {
  {
    const auto handle = begin({.children = {subtree("old", {})}});
    ASSERT_TRUE(handle.add_child("/old", actor("a"), meta_));
    ASSERT_TRUE(handle.add_child("/", actor("taken"), meta_));
    ASSERT_TRUE(handle.add_child("/", actor("good"), meta_));
    ASSERT_TRUE(handle.shutdown(meta_));
  }
  write(file_, text_of(file_) + "- parent: /\n  child: {name: odd, kind: actor, factory: none}\n");
  {
    const auto handle = begin({.children = {actor("taken")}});
    EXPECT_TRUE(has(handle, "/good"));
    ASSERT_TRUE(handle.add_child("/", actor("later"), meta_));
    ASSERT_TRUE(handle.shutdown(meta_));
  }
  const auto text = told();
  EXPECT_NE(text.find("/old/a not_found: "), std::string::npos) << text;
  EXPECT_NE(text.find("/taken name_taken: "), std::string::npos) << text;
  EXPECT_NE(text.find("/odd invalid_spec: " + file_ + ":"), std::string::npos) << text;
  EXPECT_NE(text.find("children.yaml.rejected now"), std::string::npos) << text;
  const auto rejected = text_of(file_ + ".rejected");
  for (const auto* name : {"name: a\n", "name: taken\n", "name: odd"}) {
    EXPECT_NE(rejected.find(name), std::string::npos) << name << rejected;
    EXPECT_EQ(text_of(file_).find(name), std::string::npos) << name;
  }
  EXPECT_NE(text_of(file_).find("name: good\n"), std::string::npos);
  EXPECT_NE(text_of(file_).find("name: later\n"), std::string::npos);
  for (const auto& event : sink_->events()) {
    const auto* done = std::get_if<events::CommandDone>(&event.body);
    if (done != nullptr && done->command == "keep") {
      EXPECT_EQ(severity_of(event.body), Severity::warning);
    }
  }
}

TEST_F(DynamicRegistryReal, a_child_that_does_not_start_any_more_is_put_aside) {
  write(file_,
        "- parent: /\n  child:\n    name: a\n    kind: process\n    command: [/nowhere/at/all]\n");
  const auto handle = begin();
  EXPECT_FALSE(has(handle, "/a"));
  EXPECT_NE(text_of(file_ + ".rejected").find("/nowhere/at/all"), std::string::npos);
  ASSERT_TRUE(handle.shutdown(meta_));
}

TEST_F(DynamicRegistryReal, a_corrupt_file_is_kept_aside_and_the_tree_starts) {
  const std::string corrupt = "# mine\n- parent: /\n  child: {name: a\n";
  write(file_, corrupt);
  {
    const auto handle = begin({.children = {actor("fixed")}});
    EXPECT_TRUE(has(handle, "/fixed"));
    ASSERT_TRUE(handle.add_child("/", actor("b"), meta_));
    ASSERT_TRUE(handle.shutdown(meta_));
  }
  EXPECT_EQ(text_of(file_ + ".bad"), corrupt);
  EXPECT_NE(text_of(file_).find("name: b\n"), std::string::npos);
  EXPECT_NE(told().find(" invalid_spec: " + file_ + ":4:"), std::string::npos) << told();
  EXPECT_NE(told().find("starts without its children"), std::string::npos) << told();
  write(file_, "children: []\n");
  ASSERT_TRUE(begin().shutdown(meta_));
  EXPECT_EQ(text_of(file_ + ".bad.2"), "children: []\n");
  EXPECT_EQ(text_of(file_ + ".bad"), corrupt);
}

TEST_F(DynamicRegistryReal, a_child_that_cannot_be_written_is_refused_before_it_starts) {
  const auto handle = begin();
  auto pool = std::make_shared<PoolSpec>();
  pool->child = actor("member");
  pool->shutdown.total_timeout = 1s;
  const auto refused =
      handle.add_child("/", {.name = "p", .kind = ChildKind::pool, .pool = pool}, meta_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Error::Code::invalid_spec);
  EXPECT_NE(refused.error().message.find("cannot be kept in"), std::string::npos)
      << refused.error().message;
  EXPECT_FALSE(has(handle, "/p"));
  const auto unknown = handle.add_child("/", actor("u", "unknown"), meta_);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Error::Code::unknown_factory);
  ASSERT_TRUE(handle.shutdown(meta_));
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(DynamicRegistryReal, secrets_are_kept_as_where_they_come_from) {
  const auto token = folder_ + "/token";
  write(token, "s3cr3t-w0rd\n");
  auto child = shell("a", "test \"$T\" = s3cr3t-w0rd && exec sleep 60");
  auto process = *child.process;
  process.environment = {{"T", "s3cr3t-w0rd"}};
  process.secrets = {{"T", {SecretSource::Kind::file, token}}};
  child.process = std::make_shared<ProcessSpec>(process);
  {
    const auto handle = begin();
    ASSERT_TRUE(handle.add_child("/", child, meta_));
    ASSERT_TRUE(handle.shutdown(meta_));
  }
  EXPECT_EQ(text_of(file_).find("s3cr3t-w0rd\"}"), std::string::npos) << text_of(file_);
  EXPECT_NE(text_of(file_).find("{secret: {file: "), std::string::npos);
  ASSERT_TRUE(begin().shutdown(meta_));
  std::filesystem::remove(token);
  const auto handle = begin();
  EXPECT_FALSE(has(handle, "/a"));
  EXPECT_NE(told().find("token does not exist"), std::string::npos) << told();
  ASSERT_TRUE(handle.shutdown(meta_));
}

TEST_F(DynamicRegistryReal, the_message_form_is_kept_as_well) {
  const auto handle = begin();
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const auto name = "c" + std::to_string(t) + "_" + std::to_string(i);
        EXPECT_TRUE(handle.add_child("/", actor(name), meta_));
        if (i % 2 == 0) {
          EXPECT_TRUE(handle.remove_child("/" + name, meta_));
        }
      }
    });
  }
  for (auto& caller : callers)
    caller.join();
  Command command{.kind = CommandKind::add_child, .path = "/", .meta = meta_};
  command.spec = std::make_shared<ChildSpec>(actor("last"));
  handle.execute(std::move(command), [](const CommandResult& result) { EXPECT_TRUE(result); });
  ASSERT_TRUE(sink_->wait_for("/last", "child_ready"));
  ASSERT_TRUE(handle.remove_child("/c0_1", meta_));
  ASSERT_TRUE(handle.shutdown(meta_));
  auto kept = load_kept_children(text_of(file_), "f", {.known_factories = {"echo"}});
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->size(), 48U);
}

TEST_F(DynamicRegistryReal, a_place_that_cannot_be_used_is_an_error_at_once) {
  for (const auto& place : {folder_ + "/missing/children.yaml", folder_}) {
    SupervisorSpec spec;
    spec.dynamic.registry = place;
    const auto handle = start(std::move(spec));
    ASSERT_FALSE(handle) << place;
    EXPECT_EQ(handle.error().code, Error::Code::invalid_spec);
    EXPECT_NE(handle.error().message.find(folder_), std::string::npos);
  }
}

TEST_F(DynamicRegistryReal, a_child_is_kept_when_its_tree_stops_while_it_comes_back) {
  write(file_,
        "- parent: /\n  child: {name: a, kind: blocking, factory: wait,\n"
        "    readiness: {mode: explicit}, start_timeout: 30s}\n");
  auto settings = options();
  settings.dynamic_registry = file_;
  {
    const auto handle = Supervisor::launch({}, factories_, settings);
    ASSERT_TRUE(handle);
    ASSERT_TRUE(sink_->wait_for("/a", "child_starting"));
    ASSERT_TRUE(handle->shutdown(meta_));
  }
  EXPECT_NE(text_of(file_).find("name: a,"), std::string::npos) << told();
  EXPECT_FALSE(std::filesystem::exists(file_ + ".rejected")) << told();
}

}  // namespace
}  // namespace espalier::supervisor::testing
