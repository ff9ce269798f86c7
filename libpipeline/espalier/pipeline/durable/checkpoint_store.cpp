#include "espalier/pipeline/durable/checkpoint_store.hpp"

#include "espalier/pipeline/durable/internal/checkpoint_file.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <utility>

namespace espalier::pipeline {

using internal::CheckpointChange;
using internal::CheckpointFile;

namespace {

/// Which stages an item reaches as itself: no stage before has combined it or taken it apart.
std::vector<bool> reached_whole(const Plan& plan) {
  std::vector<bool> whole(plan.nodes.size(), true);
  const auto changes = [](const NodePlan& node) {
    return node.kind != NodeKind::task || !node.one_to_one;
  };
  // Each round takes at least one stage more away, or is the last.
  for (bool changed = true; std::exchange(changed, false);) {
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
      if (whole[i] && !changes(plan.nodes[i])) continue;
      for (const auto next : plan.nodes[i].next) {
        if (next == output_node || !whole[next]) continue;
        whole[next] = false;
        changed = true;
      }
    }
  }
  return whole;
}

}  // namespace

class CheckpointStore::Impl {
 public:
  Impl(CheckpointOptions options, const Plan& plan)
      : options_(std::move(options)), file_(options_.path), whole_(reached_whole(plan)) {
    for (const auto& node : plan.nodes) {
      stages_.push_back(node.name);
      if (node.kind != NodeKind::task || !node.one_to_one) ends_whole_ = false;
    }
    if (!plan.options.keep_results) ends_whole_ = true;
    next_row_ = file_.highest_row() + 1;
    for (const auto& row : file_.rows("open")) {
      if (std::find(stages_.begin(), stages_.end(), row.stage) == stages_.end()) {
        throw std::runtime_error(
            "checkpoint " + options_.path + ": holds items that wait at the stage \"" + row.stage +
            "\", which this pipeline does not have; finish them with the pipeline they came from, "
            "or use another file");
      }
      open_.emplace(row.key, row.row);
    }
    writer_ = std::thread([this] { write(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      end_ = true;
    }
    changed_.notify_all();
    writer_.join();
  }

  void accepted(NodeId node, const std::vector<Item>& items, ItemSeq first) {
    std::vector<CheckpointChange> inserts(items.size());
    for (std::size_t i = 0; i < items.size(); ++i)
      inserts[i].value = options_.codec.encode(items[i].value, stages_[node]);
    refuse_ended(items);
    std::unique_lock lock(mutex_);
    for (std::size_t i = 0; i < items.size(); ++i) {
      auto& insert = inserts[i];
      const auto key = items[i].info ? items[i].info->id : std::string();
      const auto known = open_.find(key);
      const bool resumed = !key.empty() && known != open_.end();
      insert.kind = resumed ? CheckpointChange::Kind::move : CheckpointChange::Kind::insert;
      insert.row = resumed ? known->second : next_row_++;
      insert.key = key.empty() ? "#" + std::to_string(insert.row) : key;
      insert.stage = stages_[node];
      if (!resumed) open_.emplace(insert.key, insert.row);
      in_run_[first + i] = {insert.row, insert.key};
      changes_.push_back(std::move(insert));
    }
    wait_for_commit(lock);
    if (!problem_.empty()) throw std::runtime_error(problem_);
  }

  void moved(NodeId node, const Item& item) {
    if (!whole_[node]) return;
    CheckpointChange move;
    move.kind = CheckpointChange::Kind::move;
    move.stage = stages_[node];
    move.value = options_.codec.encode(item.value, move.stage);
    const std::lock_guard lock(mutex_);
    const auto found = in_run_.find(item.seq);
    if (found == in_run_.end()) return;
    move.row = found->second.row;
    add(std::move(move));
  }

  void ended(const Item& item, Outcome outcome) {
    // Cancelled without a word: the Flow never took it. Else it is to be resumed.
    const bool refused = outcome == Outcome::cancelled && !item.failure;
    if (outcome == Outcome::cancelled && !refused) return forget(item.seq);
    if (!ends_whole_ && !refused) return;
    auto end = describe_end(item, outcome);
    if (refused) end.kind = CheckpointChange::Kind::remove;
    const std::lock_guard lock(mutex_);
    const auto found = in_run_.find(item.seq);
    if (found == in_run_.end()) return;
    take_out(found, std::move(end));
  }

  void finish() {
    std::unique_lock lock(mutex_);
    while (!in_run_.empty()) {
      CheckpointChange end;
      end.kind = CheckpointChange::Kind::end;
      take_out(in_run_.begin(), std::move(end));
    }
    wait_for_commit(lock);
  }

  bool flush() {
    std::unique_lock lock(mutex_);
    wait_for_commit(lock);
    return problem_.empty();
  }

  Known find(const std::string& key) {
    {
      const std::lock_guard lock(mutex_);
      if (open_.count(key) > 0) return Known::open;
    }
    const std::lock_guard lock(file_mutex_);
    return file_.find(key);
  }

  std::vector<StoredItem> read(const char* state) {
    std::vector<internal::CheckpointRow> rows;
    {
      const std::lock_guard lock(file_mutex_);
      rows = file_.rows(state);
    }
    std::vector<StoredItem> items;
    items.reserve(rows.size());
    for (auto& row : rows) {
      auto value = options_.codec.decode(row.value, row.stage);
      items.push_back({std::move(row.key), std::move(row.stage), std::move(value),
                       std::move(row.error), std::move(row.error_type), row.attempts});
    }
    return items;
  }

  std::size_t replay(std::vector<std::string> keys) {
    if (keys.empty()) keys.emplace_back();
    const std::scoped_lock lock(file_mutex_, mutex_);
    std::size_t count = 0;
    for (const auto& key : keys)
      count += file_.replay(key);
    for (const auto& row : file_.rows("open"))
      open_.emplace(row.key, row.row);
    return count;
  }

  std::size_t prune(Duration older_than, bool dead_letters_too) {
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(older_than).count();
    const std::lock_guard lock(file_mutex_);
    return file_.prune(internal::unix_ms() - age, dead_letters_too);
  }

  Sizes sizes() {
    const std::lock_guard lock(file_mutex_);
    return file_.sizes();
  }

  std::string problem() const {
    const std::lock_guard lock(mutex_);
    return problem_;
  }

 private:
  struct InRun {
    std::int64_t row = 0;
    std::string key = {};
  };
  using RunMap = std::unordered_map<ItemSeq, InRun>;

  void refuse_ended(const std::vector<Item>& items) {
    for (const auto& item : items) {
      if (!item.info || item.info->id.empty()) continue;
      const auto known = find(item.info->id);
      if (known == Known::no || known == Known::open) continue;
      throw std::runtime_error("the key \"" + item.info->id + "\" has " +
                               (known == Known::failed ? "failed" : "ended") +
                               " before; ask find() before an item is fed");
    }
  }

  void add(CheckpointChange change) {
    changes_.push_back(std::move(change));
    if (changes_.size() == 1) changed_.notify_all();
  }

  void take_out(RunMap::iterator found, CheckpointChange change) {
    change.row = found->second.row;
    change.key = found->second.key;
    open_.erase(change.key);
    in_run_.erase(found);
    add(std::move(change));
  }

  void forget(ItemSeq seq) {
    const std::lock_guard lock(mutex_);
    in_run_.erase(seq);
  }

  CheckpointChange describe_end(const Item& item, Outcome outcome) const {
    CheckpointChange end;
    end.kind = CheckpointChange::Kind::end;
    end.outcome = outcome;
    end.attempts = item.attempt;
    if (outcome != Outcome::failed || !item.failure) return end;
    const auto& failure = *item.failure;
    end.error = failure.message;
    end.error_type = failure.type;
    end.attempts = failure.attempts;
    const auto& value = failure.input.has_value() ? failure.input : item.value;
    // A command may still hold it: then the row keeps what it has.
    if (!value.has_value()) return end;
    end.stage = failure.stage.empty() ? stages_.front() : failure.stage;
    end.value = options_.codec.encode(value, end.stage);
    return end;
  }

  void wait_for_commit(std::unique_lock<std::mutex>& lock) {
    if (changes_.empty() && !committing_) return;
    changed_.notify_all();
    // What is in the making now does not hold what was added last.
    const auto ticket = commits_ + (committing_ ? 1 : 0) + (changes_.empty() ? 0 : 1);
    done_.wait(lock, [&] { return commits_ >= ticket; });
  }

  void write() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return end_ || !changes_.empty(); });
      if (changes_.empty()) return;
      const auto group = std::exchange(changes_, {});
      committing_ = true;
      const bool is_broken = !problem_.empty();
      lock.unlock();
      const auto problem = is_broken ? std::string() : commit(group);
      lock.lock();
      if (!problem.empty()) problem_ = problem;
      committing_ = false;
      ++commits_;
      done_.notify_all();
    }
  }

  std::string commit(const std::vector<CheckpointChange>& group) {
    try {
      const std::lock_guard lock(file_mutex_);
      file_.commit(group);
    } catch (const std::exception& error) {
      return "checkpoint " + options_.path + ": cannot be written: " + error.what() +
             "; nothing more is accepted";
    }
    for (const auto& change : group) {
      if (options_.on_ended && change.kind == CheckpointChange::Kind::end)
        options_.on_ended(change.key, change.outcome);
    }
    return {};
  }

  CheckpointOptions options_;
  std::mutex file_mutex_;  ///< Before mutex_, where both are needed.
  CheckpointFile file_;
  std::vector<std::string> stages_ = {};
  std::vector<bool> whole_;
  bool ends_whole_ = true;  ///< `ended` tells of fed items, not of what came of them.

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable done_;
  std::vector<CheckpointChange> changes_ = {};
  RunMap in_run_ = {};
  std::unordered_map<std::string, std::int64_t> open_ = {};  ///< Keys of unfinished items.
  std::int64_t next_row_ = 1;
  std::uint64_t commits_ = 0;
  bool committing_ = false;
  bool end_ = false;
  std::string problem_ = {};
  std::thread writer_;
};

expected<std::shared_ptr<CheckpointStore>, std::string> CheckpointStore::open(
    CheckpointOptions options, const Plan& plan) {
  try {
    auto impl = std::make_unique<Impl>(std::move(options), plan);
    return std::shared_ptr<CheckpointStore>(new CheckpointStore(std::move(impl)));
  } catch (const std::exception& error) {
    return unexpected<std::string>(error.what());
  }
}

CheckpointStore::CheckpointStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CheckpointStore::~CheckpointStore() = default;

void CheckpointStore::accepted(NodeId node, const std::vector<Item>& items, ItemSeq first) {
  impl_->accepted(node, items, first);
}
void CheckpointStore::moved(NodeId node, const Item& item) {
  impl_->moved(node, item);
}
void CheckpointStore::ended(const Item& item, Outcome outcome) {
  impl_->ended(item, outcome);
}
CheckpointStore::Known CheckpointStore::find(const std::string& key) {
  return impl_->find(key);
}
std::vector<StoredItem> CheckpointStore::resume() {
  return impl_->read("open");
}
std::vector<StoredItem> CheckpointStore::dead_letters() {
  return impl_->read("failed");
}
std::size_t CheckpointStore::replay(const std::vector<std::string>& keys) {
  return impl_->replay(keys);
}
void CheckpointStore::finish() {
  impl_->finish();
}
bool CheckpointStore::flush() {
  return impl_->flush();
}
std::size_t CheckpointStore::prune(Duration older_than, bool dead_letters_too) {
  return impl_->prune(older_than, dead_letters_too);
}
CheckpointStore::Sizes CheckpointStore::sizes() {
  return impl_->sizes();
}
std::string CheckpointStore::problem() const {
  return impl_->problem();
}

}  // namespace espalier::pipeline
