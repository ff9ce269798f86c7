#pragma once

#include "espalier/cli/pipeline/dead_letters.hpp"
#include "espalier/cli/pipeline/incoming.hpp"
#include "espalier/cli/pipeline/item_lines.hpp"
#include "espalier/pipeline/durable/checkpoint_store.hpp"
#include "espalier/pipeline/run/runner.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace espalier::cli {

/// Feeds a pipeline from a thread of its own: first what a checkpoint holds, then the lines of the
/// input (items, or dead letters to be replayed). What cannot be fed becomes a dead letter.
class ItemFeeder {
 public:
  struct Sources {
    bool resume = false;
    std::optional<ItemLines> lines = {};
    bool are_dead_letters = false;
    std::string id_field = {};
    std::string priority_field = {};
  };
  /// `store`: null for none. Everything given outlives the feeder.
  ItemFeeder(pipeline::Runner& runner, pipeline::CheckpointStore* store, DeadLetterFile& letters,
             Sources sources);
  /// Stops and waits.
  ~ItemFeeder();
  ItemFeeder(const ItemFeeder&) = delete;
  ItemFeeder& operator=(const ItemFeeder&) = delete;

  /// Closes the input of the pipeline when all is fed.
  void start();
  /// No further line is taken. From any thread.
  void stop();

  struct Report {
    std::uint64_t lines = 0;  ///< Read.
    std::uint64_t resumed = 0;
    std::uint64_t done_before = 0;  ///< By the checkpoint; not fed.
    std::uint64_t unreadable = 0;   ///< No JSON, no id; dead letters.
    std::string problem = {};       ///< Why it ended early.
    bool not_written = false;       ///< The problem is one of the checkpoint or the dead letters.
  };
  /// Once it has ended.
  [[nodiscard]] Report wait();

 private:
  struct Fed {
    pipeline::NodeId node = 0;
    std::uint64_t read_from = 0;  ///< Where it stands in what is being read.
    Incoming item = {};
  };
  void run();
  void feed_resumed();
  void feed_lines();
  [[nodiscard]] std::optional<Fed> read(const ItemLines::Line& line);
  [[nodiscard]] std::optional<Fed> read_letter(const ItemLines::Line& line);
  void refuse(const ItemLines::Line& line, const std::string& why);
  /// False: it is known already.
  [[nodiscard]] bool is_wanted(const std::string& id);
  void feed(std::vector<Fed> items);

  pipeline::Runner& runner_;
  pipeline::CheckpointStore* store_;
  DeadLetterFile& letters_;
  Sources sources_;
  std::set<std::string> in_batch_ = {};  ///< Ids read and not yet fed.
  Report report_ = {};
  bool left_some_ = false;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace espalier::cli
