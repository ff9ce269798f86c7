#pragma once

#include "libpipeline/core/support/random_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace espalier::pipeline::testing {

/// Lives through one random pipeline, and after every step checks what a Flow promises.
class Walk {
 public:
  explicit Walk(std::uint64_t seed)
      : random_(seed), made_(varied(random_plan(random_), seed)), flow_(copy(made_.plan)) {
    flow_.watch(true);
    flow_.tell_ends(true);
  }
  /// For the message of a failure: the plan, and where everything is.
  [[nodiscard]] std::string text() const {
    std::string out = made_.text;
    const auto snapshot = flow_.snapshot(now_);
    for (std::size_t i = 0; i < snapshot.stages.size(); ++i) {
      const auto& s = snapshot.stages[i];
      const auto& o = flow_.plan().nodes[i].options;
      out += s.name + ": " + std::to_string(s.queued) + " queued, " + std::to_string(s.in_work) +
             " in work, " + std::to_string(s.retrying) + " retrying, capacity " +
             std::to_string(s.capacity) + ", workers " + std::to_string(s.workers) + ", busy " +
             std::to_string(s.busy) + ", order " + std::to_string(static_cast<int>(o.order)) +
             ", rate " + std::to_string(o.rate.per_second) + ", breaker " +
             std::to_string(static_cast<int>(s.breaker)) + "\n";
    }
    const auto& o = flow_.plan().options;
    return out + std::to_string(snapshot.outputs_waiting) + " results, order " +
           std::to_string(static_cast<int>(o.output_order)) + ", capacity " +
           std::to_string(o.output_capacity) + ", in flight " +
           std::to_string(snapshot.counts.in_flight()) + ", overflow " +
           std::to_string(static_cast<int>(o.overflow)) + ", deadline " +
           std::to_string(o.item_deadline.count()) + "\n";
  }

  void run() {
    const auto runs = chance(20) ? 2 : 1;
    for (int i = 0; i < runs && !::testing::Test::HasFailure(); ++i) {
      if (i > 0) begin_again();
      const auto steps = 50 + below(150);
      for (std::size_t s = 0; s < steps && !::testing::Test::HasFailure(); ++s)
        step();
      if (!::testing::Test::HasFailure()) drain();
    }
  }

 private:
  struct Running {
    Work work = {};
    std::size_t count = 0;
    int run = 0;
  };
  using Name = std::tuple<NodeId, ItemSeq, std::uint32_t, const ItemInfo*>;

  static Plan copy(const Plan& plan) { return plan; }
  /// Some have results that nobody keeps, some are told of each failure.
  static RandomPlan varied(RandomPlan made, std::uint64_t seed) {
    made.plan.options.keep_results = seed % 3 != 0;
    for (auto& node : made.plan.nodes) {
      if (seed % 2 == 0) node.on_failure = [](const Item&) {};
    }
    return made;
  }
  [[nodiscard]] bool keeps() const { return made_.plan.options.keep_results; }
  std::size_t below(std::size_t n) { return random_() % n; }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }

  void step() {
    const auto what = below(100);
    if (what < 25)
      feed();
    else if (what < 50)
      claim();
    else if (what < 75)
      finish_one();
    else if (what < 85)
      take();
    else if (what < 95)
      pass_time();
    else if (what < 97)
      resize();
    else if (what == 97 && chance(20))
      flow_.close_input();
    else if (what == 98 && chance(10))
      cancel();
    else if (what == 99 && chance(10))
      abort();
    check_all();
  }

  void feed() {
    const auto node = static_cast<NodeId>(chance(80) ? 0 : below(flow_.plan().nodes.size()));
    auto chunk = flow_.new_chunk();
    const auto count = 1 + below(chance(10) ? 40 : 5);
    for (std::size_t i = 0; i < count; ++i) {
      auto& item = chunk->items.emplace_back();
      item.value = Value::of<Load>(Load{{next_id_++}});
      if (chance(20)) item.priority = static_cast<std::int32_t>(below(3));
      if (chance(10)) item.info = std::make_shared<ItemInfo>();
    }
    const auto before = flow_.counts();
    const auto room = flow_.room(node);
    const auto closed = flow_.input_closed();
    auto rest = flow_.accept(node, std::move(chunk), now_);
    const auto left = rest ? rest->items.size() : 0;
    const auto overflow = flow_.plan().options.overflow;
    const auto expected = closed                              ? 0
                          : overflow == Overflow::drop_oldest ? count
                                                              : std::min(room, count);
    EXPECT_EQ(count - left, expected);
    EXPECT_EQ(flow_.counts().accepted, before.accepted + expected);
    EXPECT_EQ(flow_.counts().rejected,
              before.rejected + (!closed && overflow == Overflow::reject ? left : 0));
    EXPECT_EQ(flow_.next_seq(), flow_.counts().accepted);
    flow_.recycle(std::move(rest));
  }

  void claim() {
    const auto there_is = flow_.has_work(now_);
    auto work = flow_.claim(now_);
    EXPECT_EQ(there_is, work.has_value());
    if (work) begun(*work);
  }

  void begun(const Work& work) {
    read_events();
    const auto& items = work.chunk->items;
    const auto& node = flow_.plan().nodes[work.node];
    ASSERT_FALSE(items.empty());
    if (node.options.timeout > Duration::zero() && node.kind == NodeKind::task) {
      EXPECT_EQ(items.size(), 1u);
    }
    for (const auto& item : items) {
      const auto is_new = seen_.insert({work.node, item.seq, item.part, item.info.get()}).second;
      EXPECT_TRUE(item.value.has_value());
      EXPECT_LT(item.attempt, node.options.retry.attempts);
      if (node.options.order == Order::input && is_new) {
        const auto [last, first_one] = last_begun_.try_emplace(work.node, item.seq);
        EXPECT_TRUE(first_one || last->second < item.seq) << "order broken at " << node.name;
        last->second = item.seq;
      }
      if (node.options.order == Order::by_key) check_key(work.node, item);
    }
    running_.push_back({work, items.size(), run_});
  }

  /// One of a key is at the stage at a time: until it has left, no other begins.
  void check_key(NodeId id, const Item& item) {
    const auto key = flow_.plan().nodes[id].key(item.value);
    const Name name{id, item.seq, item.part, item.info.get()};
    // Of the parts of one item, events do not say which is which.
    const auto plain = !item.info || (item.info->next_part == 1 && item.info->members.empty());
    if (plain) plain_.insert(name);
    auto& holder = holders_[{id, key}];
    if (holder && *holder != name) {
      EXPECT_TRUE(left_.contains(*holder)) << "two items of a key at " << id;
      if (plain_.contains(*holder) && plain) {
        EXPECT_LT(arrival(*holder), arrival(name)) << "overtaken at " << id;
      }
    }
    holder = name;
  }
  std::size_t arrival(const Name& name) {
    const auto at = arrivals_.find({std::get<0>(name), std::get<1>(name)});
    return at == arrivals_.end() ? 0 : at->second;
  }

  void finish_one() {
    if (running_.empty()) return;
    const auto which = below(running_.size());
    const auto job = running_[which];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(which));
    if (chance(50)) now_ += microseconds{below(300)};
    auto names = apply(job.work);
    for (const auto& item : job.work.chunk->items) {
      if (dead_.contains({job.work.node, item.seq})) {
        names.emplace_back(job.work.node, item.seq, item.part, item.info.get());
      }
    }
    auto next = flow_.finish(job.work, now_);
    if (job.run == run_) left_.insert(names.begin(), names.end());
    if (next) begun(*next);
  }

  /// Decides what becomes of the items; gives the names of those that leave the stage.
  std::vector<Name> apply(const Work& work) {
    auto& items = work.chunk->items;
    const auto role = made_.roles[work.node];
    const bool gathers = role == Role::batch || role == Role::window;
    std::vector<Name> leaving;
    const bool all_fail = gathers && chance(fail_);
    for (auto& item : items) {
      item.verdict = Verdict::pass;
      if (all_fail || (!gathers && chance(fail_))) {
        fail(item, "no luck", chance(5) ? Failure::Kind::refused : Failure::Kind::thrown);
      } else if (!gathers && chance(5)) {
        item.verdict = Verdict::again;
        item.failure = std::make_unique<Failure>();
        item.failure->retry_after = milliseconds{below(5)};
      } else {
        if (!gathers) act(role, item);
        leaving.emplace_back(work.node, item.seq, item.part, item.info.get());
      }
    }
    if (gathers && !all_fail) merge(items);
    return leaving;
  }

  void act(Role role, Item& item) {
    switch (role) {
      case Role::sink:
        item.verdict = Verdict::skip;
        break;
      case Role::filter:
        if (chance(40)) item.verdict = Verdict::skip;
        break;
      case Role::split:
        item.port = static_cast<std::uint16_t>(below(2));
        break;
      case Role::broadcast:
        many(item, 2, Verdict::spread);
        break;
      case Role::flat_map:
        many(item, below(chance(10) ? 30 : 4), Verdict::expand);
        break;
      default:
        break;
    }
  }
  static void many(Item& item, std::size_t count, Verdict verdict) {
    std::vector<Value> values;
    for (std::size_t i = 0; i < count; ++i)
      values.push_back(item.value.copy());
    item.value = Value::of<std::vector<Value>>(std::move(values));
    item.verdict = verdict;
  }
  static void merge(std::vector<Item>& items) {
    Load all;
    for (auto& item : items) {
      const auto& ids = item.value.as<Load>().ids;
      all.ids.insert(all.ids.end(), ids.begin(), ids.end());
      item.verdict = Verdict::absorbed;
    }
    items.front().value = Value::of<Load>(std::move(all));
    items.front().verdict = Verdict::pass;
  }

  /// What Flow::take_untold gives has failed, and comes once.
  bool tell() {
    auto untold = flow_.take_untold();
    for (const auto& [node, item] : untold) {
      EXPECT_TRUE(flow_.plan().nodes[node].on_failure);
      EXPECT_EQ(item.verdict, Verdict::fail);
      EXPECT_TRUE(item.failure && item.failure->stage == flow_.plan().nodes[node].name);
      EXPECT_TRUE(told_.insert({item.seq, item.part, item.info.get()}).second || item.info)
          << "told twice: " << item.seq;
      kept_.push_back(item.info);
    }
    const auto any = !untold.empty();
    flow_.told(std::move(untold));
    return any;
  }

  bool take() {
    const auto told = tell();
    auto chunk = keeps() ? flow_.take_outputs() : flow_.take_ended();
    if (!chunk) return told;
    EXPECT_FALSE(keeps() ? flow_.take_ended() : flow_.take_outputs());
    EXPECT_FALSE(chunk->items.empty());
    EXPECT_LE(chunk->items.size(), chunk_limit);
    for (auto& item : chunk->items) {
      if (flow_.plan().options.output_order == Order::input && cramped_ == 0 && keeps()) {
        EXPECT_TRUE(last_out_ < 0 || static_cast<std::int64_t>(item.seq) >= last_out_);
        last_out_ = static_cast<std::int64_t>(item.seq);
      }
      outcome(item);
      const auto is_new = keeps() ? outs_.insert({item.seq, item.part, item.info.get()}).second
                                  : outs_.insert({item.seq, 0, nullptr}).second;
      EXPECT_TRUE(is_new || (item.info && keeps())) << "twice out: " << item.seq;
      kept_.push_back(item.info);
    }
    flow_.recycle(std::move(chunk));
    return true;
  }

  void outcome(const Item& item) {
    auto outcome = Outcome::succeeded;
    if (item.verdict == Verdict::skip) outcome = Outcome::skipped;
    if (item.verdict == Verdict::fail) {
      ASSERT_TRUE(item.failure);
      EXPECT_FALSE(item.failure->message.empty());
      EXPECT_FALSE(item.failure->stage.empty());
      outcome =
          item.failure->kind == Failure::Kind::cancelled ? Outcome::cancelled : Outcome::failed;
    }
    ends(item.seq, item.info.get(), outcome);
  }
  void ends(ItemSeq seq, const ItemInfo* info, Outcome outcome) {
    if (info && !info->members.empty()) {
      for (const auto& m : info->members)
        ends(m.seq, m.info.get(), outcome);
      return;
    }
    static constexpr int bad[] = {1, 3, 0, 2};
    const auto [at, first] = outcomes_.try_emplace(seq, outcome);
    if (bad[static_cast<int>(outcome)] > bad[static_cast<int>(at->second)]) at->second = outcome;
  }

  void pass_time() {
    const auto due = flow_.next_deadline();
    if (due && chance(60))
      now_ = std::max(now_, *due);
    else
      now_ += microseconds{below(5000)};
    advance();
  }
  void advance() {
    std::vector<std::uint64_t> expired;
    flow_.advance(now_, expired);
    for (const auto id : expired)
      EXPECT_TRUE(is_running(id));
    const auto due = flow_.next_deadline();
    EXPECT_TRUE(!due || *due > now_) << "due at once, again and again";
  }
  [[nodiscard]] bool is_running(std::uint64_t id) const {
    return std::any_of(running_.begin(), running_.end(),
                       [&](const Running& r) { return r.work.id == id; });
  }

  void resize() {
    const auto node = static_cast<NodeId>(below(flow_.plan().nodes.size()));
    EXPECT_TRUE(flow_.resize(node, static_cast<std::uint32_t>(1 + below(4)), now_));
  }
  void cancel() {
    flow_.cancel("enough", now_);
    EXPECT_TRUE(flow_.input_closed());
    EXPECT_FALSE(flow_.has_work(now_));
    cancelled_ = true;
  }
  void abort() {
    std::vector<std::uint64_t> ids;
    flow_.abort("stop", now_, ids);
    std::size_t mine = 0;
    for (const auto& r : running_)
      mine += r.run == run_ ? 1 : 0;
    EXPECT_EQ(ids.size(), mine);
    EXPECT_TRUE(flow_.idle());
    cancelled_ = true;
  }

  void read_events() {
    std::vector<TrackEvent> events;
    flow_.take_events(events);
    for (const auto& e : events) {
      EXPECT_TRUE(e.count == 1 || !e.info);
      if (e.node == output_node) continue;
      for (std::uint32_t i = 0; i < e.count; ++i) {
        const auto seq = e.seq + i;
        if (e.status == Status::queued) arrivals_.try_emplace({e.node, seq}, ++arrived_);
        if (e.status != Status::failed && e.status != Status::cancelled) continue;
        dead_.insert({e.node, seq});
        if (runs(e.node, seq)) continue;  // It holds its key until the worker is back.
        for (std::uint32_t part = 0; part < 64; ++part)
          left_.insert({e.node, seq, part, e.info.get()});
      }
    }
  }
  [[nodiscard]] bool runs(NodeId node, ItemSeq seq) const {
    return std::any_of(running_.begin(), running_.end(), [&](const Running& r) {
      return r.run == run_ && r.work.node == node &&
             std::any_of(r.work.chunk->items.begin(), r.work.chunk->items.end(),
                         [&](const Item& item) { return item.seq == seq; });
    });
  }

  void check_all() {
    read_events();
    const auto& c = flow_.counts();
    EXPECT_LE(c.succeeded + c.failed + c.skipped + c.cancelled, c.accepted);
    const auto snapshot = flow_.snapshot(now_);
    std::size_t total = 0;
    for (std::size_t i = 0; i < snapshot.stages.size(); ++i) {
      const auto& s = snapshot.stages[i];
      // One for each order that is kept; and those whose key that one waits for.
      auto bound = s.capacity + (keeps_order() ? 6 + keyed_capacity(snapshot) : 0);
      if (made_.roles[i] == Role::window) bound *= 6;  // Overlapping windows hold copies.
      EXPECT_LE(s.queued + s.in_work + s.retrying, bound) << s.name;
      std::size_t busy = 0;
      for (const auto& r : running_)
        busy += r.work.node == i ? 1 : 0;
      EXPECT_EQ(s.busy, busy);
      total += s.capacity + 7 * s.busy;
    }
    const auto output = flow_.plan().options.output_capacity;
    if (output > 0 && !cancelled_ && keeps()) {
      EXPECT_LE(snapshot.outputs_waiting, 2 * output + 2 * total + 60);
    }
    if (flow_.plan().options.overflow == Overflow::drop_oldest) cramped_ = 1;
    if (running_.empty()) check_not_stuck(snapshot);
  }

  [[nodiscard]] std::size_t keyed_capacity(const PipelineSnapshot& snapshot) const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < snapshot.stages.size(); ++i) {
      if (flow_.plan().nodes[i].options.order == Order::by_key) sum += snapshot.stages[i].capacity;
    }
    return sum;
  }
  [[nodiscard]] bool keeps_order() const {
    const auto& plan = flow_.plan();
    return plan.options.output_order == Order::input ||
           std::any_of(plan.nodes.begin(), plan.nodes.end(),
                       [](const NodePlan& n) { return n.options.order == Order::input; });
  }

  void check_not_stuck(const PipelineSnapshot& snapshot) {
    if (flow_.idle() || flow_.has_work(now_) || flow_.next_deadline()) return;
    if (snapshot.outputs_waiting > 0 || flow_.has_news()) return;
    bool gathering = false;
    for (std::size_t i = 0; i < snapshot.stages.size(); ++i) {
      const auto gathers = made_.roles[i] == Role::batch || made_.roles[i] == Role::window;
      gathering = gathering || (gathers && snapshot.stages[i].queued > 0);
    }
    EXPECT_TRUE(gathering && !flow_.input_closed()) << "nothing moves any more";
  }

  void drain() {
    flow_.close_input();
    fail_ = 10;
    for (int i = 0; i < 100000 && !::testing::Test::HasFailure(); ++i) {
      check_all();
      take();
      const auto ready = flow_.has_work(now_);
      if (ready && chance(60))
        claim();
      else if (!running_.empty())
        finish_one();
      else if (ready)
        claim();
      else if (const auto due = flow_.next_deadline())
        now_ = std::max(now_, *due), advance();
      else if (!take())
        break;
    }
    EXPECT_TRUE(flow_.idle());
    while (take()) {
    }
    check_outcomes();
  }
  /// What the results say of each fed item, and what was counted.
  void check_outcomes() {
    if (::testing::Test::HasFailure() || cramped_ != 0) return;
    Counts seen;
    for (const auto& [seq, outcome] : outcomes_) {
      EXPECT_LT(seq, flow_.next_seq());
      if (outcome == Outcome::succeeded) ++seen.succeeded;
      if (outcome == Outcome::failed) ++seen.failed;
      if (outcome == Outcome::skipped) ++seen.skipped;
      if (outcome == Outcome::cancelled) ++seen.cancelled;
    }
    const auto& c = flow_.counts();
    EXPECT_EQ(outcomes_.size(), c.accepted);
    EXPECT_EQ(std::tuple(seen.succeeded, seen.failed, seen.skipped, seen.cancelled),
              std::tuple(c.succeeded, c.failed, c.skipped, c.cancelled));
  }

  void begin_again() {
    flow_.reset();
    EXPECT_EQ(flow_.counts(), Counts{});
    ++run_;
    cancelled_ = false;
    fail_ = 15;
    last_out_ = -1;
    seen_.clear();
    last_begun_.clear();
    holders_.clear();
    left_.clear();
    plain_.clear();
    dead_.clear();
    arrivals_.clear();
    outcomes_.clear();
    outs_.clear();
    told_.clear();
    kept_.clear();
    std::vector<TrackEvent> old;
    flow_.take_events(old);
  }

  std::mt19937_64 random_;
  RandomPlan made_;
  Flow flow_;
  TimePoint now_ = TimePoint{seconds{1}};
  int next_id_ = 0;
  int run_ = 0;
  int fail_ = 15;
  int cramped_ = 0;
  bool cancelled_ = false;
  std::int64_t last_out_ = -1;
  std::vector<Running> running_ = {};
  std::set<Name> seen_ = {};
  std::map<NodeId, ItemSeq> last_begun_ = {};
  std::map<std::pair<NodeId, std::uint64_t>, std::optional<Name>> holders_ = {};
  std::set<Name> left_ = {};
  std::set<Name> plain_ = {};
  std::set<std::pair<NodeId, ItemSeq>> dead_ = {};  ///< Ended there, though maybe still in work.
  std::map<std::pair<NodeId, ItemSeq>, std::size_t> arrivals_ = {};
  std::size_t arrived_ = 0;
  std::map<ItemSeq, Outcome> outcomes_ = {};
  std::set<std::tuple<ItemSeq, std::uint32_t, const ItemInfo*>> outs_ = {};
  std::set<std::tuple<ItemSeq, std::uint32_t, const ItemInfo*>> told_ = {};
  std::vector<std::shared_ptr<ItemInfo>> kept_ = {};
};

}  // namespace espalier::pipeline::testing
