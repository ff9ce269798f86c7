#pragma once

#include "espalier/supervisor/config/kept_children.hpp"
#include "espalier/supervisor/core/child_factories.hpp"
#include "espalier/supervisor/core/command.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace espalier::supervisor {

/// Keeps the children that were added at run time in a file, so that the next start of the program
/// has them again. Instances of a pool are not kept: a pool has its size.
///
/// The file (permissions 0600) is YAML as a tree file's, see kept_children.hpp, and is replaced as
/// a whole: after a crash it is the old one or the new one. Only one thread of this object writes
/// it. An entry that no longer fits goes to FILE.rejected with the reason, a file that cannot be
/// read to FILE.bad; nothing is thrown away. Cost of a change: the size of the file; meant for
/// thousands of children, not for a hundred thousand.
///
/// Thread rule: every member may be called from any thread; `publish`, `follow` and the answers
/// it wraps touch no file and do not wait.
class DynamicRegistry final : public EventSink,
                              public std::enable_shared_from_this<DynamicRegistry> {
 public:
  using Answer = std::function<void(const CommandResult&)>;

  /// What it needs of the tree; held until the thread ends.
  struct Tree {
    std::function<bool()> wait_up = {};  ///< False: it ended first.
    std::function<void(Command command, Answer done)> execute = {};
    std::function<void(events::CommandDone what)> tell = {};
  };

  /// Reads the file; there need not be one yet. The error is a sentence: the place cannot be used.
  [[nodiscard]] static expected<std::shared_ptr<DynamicRegistry>, std::string> open(
      const std::string& file, const ChildFactories& factories);
  ~DynamicRegistry() override;
  DynamicRegistry(const DynamicRegistry&) = delete;
  DynamicRegistry& operator=(const DynamicRegistry&) = delete;

  /// Once: adds the children of the file when the tree is up, then writes what changes.
  void begin(Tree tree);
  /// Notes what a command changes once it is done, through `done`. The error: its child cannot be
  /// written so that it reads back the same; nothing may be started then.
  [[nodiscard]] std::optional<Error> follow(const Command& command, Answer& done);
  void publish(const Event& event) override;

  /// Waits until the children of the file are back, or could not be brought back.
  void wait_restored();
  /// Waits until all that changed so far is in the file; else says why it is not.
  [[nodiscard]] std::optional<std::string> wait_written(Duration limit);
  /// When the tree has ended: writes what is left and ends the thread.
  void end();

 private:
  struct Entry {
    std::string path = {};
    std::shared_ptr<const ChildSpec> child = {};  ///< Null until it is back in the tree.
    std::string parent = {};
    std::string text = {};
  };
  using Id = std::uint64_t;

  DynamicRegistry(std::string file, LoadOptions options);
  [[nodiscard]] std::optional<std::string> read();
  [[nodiscard]] expected<Entry, Error> entry_for(const std::string& parent,
                                                 std::shared_ptr<const ChildSpec> child) const;
  [[nodiscard]] std::shared_ptr<const ChildSpec> changed_by(const Command& command,
                                                            std::string& parent);
  void put(Entry entry);
  void take(Id id);

  void run(const Tree& tree);
  void restore(const Tree& tree);
  void restore_one(const Tree& tree, Id id, const KeptChild& kept);
  void reject(const Tree& tree, Id id, const KeptChild& kept, const Error& why);
  void write(std::unique_lock<std::mutex>& lock, const Tree& tree);
  void tell(const Tree& tree, const std::string& path, const std::string& result,
            const std::string& text) const;

  const std::string file_;
  const LoadOptions options_;
  std::string fault_;  // Of the file as it was read; empty: none.
  std::vector<std::pair<Id, KeptChild>> found_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Id, Entry> entries_;  // In the order in which they were added.
  std::map<std::string, Id> ids_;
  Id next_ = 1;
  std::uint64_t version_ = 0;
  std::uint64_t written_ = 0;
  std::optional<std::string> problem_;  // Of the last writing.
  bool begun_ = false;
  bool restored_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace espalier::supervisor
