#include "espalier/supervisor/runtime/dynamic_registry.hpp"
#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace espalier::supervisor::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DynamicRegistryFaults : public RuntimeFixture {
 protected:
  DynamicRegistryFaults() {
    std::string name = (std::filesystem::temp_directory_path() / "registry-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    file_ = folder_ + "/children.yaml";
  }
  ~DynamicRegistryFaults() override { std::filesystem::remove_all(folder_); }

  SupervisorHandle begin(SupervisorSpec spec = {}) {
    auto settings = options();
    settings.dynamic_registry = file_;
    auto handle = Supervisor::start(std::move(spec), factories_, settings);
    EXPECT_TRUE(handle) << handle.error().message;
    return *handle;
  }
  static Command addition(const std::string& name) {
    Command command{.kind = CommandKind::add_child, .path = "/", .meta = {"a test", "to see"}};
    command.spec = std::make_shared<ChildSpec>(actor(name));
    return command;
  }
  [[nodiscard]] std::string kept() const {
    std::ifstream in{file_, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  /// What the registry told of, one a line.
  [[nodiscard]] std::string told() const {
    std::string all;
    for (const auto& done : sink_->bodies<events::CommandDone>("/")) {
      if (done.requested_by == "registry") all += done.child + " " + done.text + "\n";
    }
    return all;
  }

  std::string folder_;
  std::string file_;
};

TEST_F(DynamicRegistryFaults, what_is_refused_or_only_tried_is_not_kept) {
  {
    const auto handle = begin({.children = {actor("fixed")}});
    EXPECT_FALSE(handle.add_child("/", actor("fixed"), meta_));
    auto trial = addition("tried");
    trial.dry_run = true;
    EXPECT_TRUE(handle.execute(std::move(trial), std::chrono::seconds{10}));
    ASSERT_TRUE(handle.add_child("/", actor("added"), meta_));
    ASSERT_TRUE(handle.shutdown(meta_));
  }
  EXPECT_THAT(kept(), HasSubstr("added"));
  EXPECT_THAT(kept(), Not(HasSubstr("fixed")));
  EXPECT_THAT(kept(), Not(HasSubstr("tried")));
}

TEST_F(DynamicRegistryFaults, what_was_added_just_before_the_end_is_written) {
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove(file_);
    auto registry = DynamicRegistry::open(file_, factories_);
    ASSERT_TRUE(registry);
    (*registry)->begin({[] { return true; }, {}, [](events::CommandDone) {}});
    (*registry)->wait_restored();
    DynamicRegistry::Answer done = [](const CommandResult&) {};
    ASSERT_FALSE((*registry)->follow(addition("last"), done));
    done(CommandOutcome{});
    (*registry)->end();
    ASSERT_THAT(kept(), HasSubstr("last")) << "round " << round;
  }
}

TEST_F(DynamicRegistryFaults, an_answer_and_an_event_say_that_it_cannot_be_written) {
  std::filesystem::create_directory(file_ + ".new");  // In the way.
  const auto handle = begin();
  const auto added = handle.add_child("/", actor("a"), meta_);
  ASSERT_TRUE(added) << "the tree goes on";
  EXPECT_THAT(added->text, HasSubstr("not kept over a restart: opening " + file_ + ".new failed"));
  EXPECT_THAT(told(), HasSubstr("what was added is lost at the end"));
  std::filesystem::remove(file_ + ".new");
  EXPECT_THAT(handle.add_child("/", actor("b"), meta_)->text, Not(HasSubstr("not kept")));
  EXPECT_THAT(kept(), HasSubstr("name: a"));
  ASSERT_TRUE(handle.shutdown(meta_));
}

TEST_F(DynamicRegistryFaults, what_cannot_be_put_aside_stays) {
  std::ofstream(file_) << "- parent: /\n  child: {name: odd, kind: actor, factory: none}\n";
  std::filesystem::create_directory(file_ + ".rejected");  // In the way.
  {
    const auto handle = begin();
    EXPECT_THAT(told(), HasSubstr("it stays in " + file_));
    ASSERT_TRUE(handle.add_child("/", actor("b"), meta_));
    ASSERT_TRUE(handle.shutdown(meta_));
  }
  EXPECT_THAT(kept(), HasSubstr("name: odd"));
  EXPECT_THAT(kept(), HasSubstr("name: b"));
}

}  // namespace
}  // namespace espalier::supervisor::testing
