#include "espalier/metrics/internal/child_table.hpp"

#include "espalier/metrics/label.hpp"

#include <functional>

namespace espalier::metrics::internal {

namespace {

// Upper bounds in seconds. Few: every child may have a histogram.
constexpr std::array<double, 6> uptime_bounds = {1, 10, 60, 600, 3600, 86400};
constexpr std::array<double, 6> backoff_bounds = {0.01, 0.1, 1, 10, 60, 600};
constexpr std::array<double, 6> latency_bounds = {0.001, 0.01, 0.1, 0.5, 1, 5};

// Supervisors that have others, beyond as many as there may be children.
constexpr std::size_t spare_supervisors = 256;

Histogram& made(std::atomic<Histogram*>& place, std::span<const double> bounds) {
  auto* histogram = place.load(std::memory_order_acquire);
  if (!histogram) {
    histogram = new Histogram{bounds};
    place.store(histogram, std::memory_order_release);
  }
  return *histogram;
}

void add_up(std::atomic<Histogram*>& into, const std::atomic<Histogram*>& more,
            std::span<const double> bounds) {
  if (const auto* histogram = more.load(std::memory_order_acquire)) {
    made(into, bounds).add(histogram->value());
  }
}

bool is_below(const std::string& path, const std::string& top) {
  return path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/';
}

}  // namespace

const char* to_string(Decision x) {
  constexpr std::array words = {"restart_now", "restart_after", "restart_queued", "scope",
                                "command"};
  return words[static_cast<std::size_t>(x)];
}

const char* to_string(Operation x) {
  constexpr std::array words = {"active", "stopped", "paused", "quarantined", "removed"};
  return words[static_cast<std::size_t>(x)];
}

const char* to_string(Fence x) {
  constexpr std::array words = {"entered", "released", "abort_requested", "already_pending",
                                "rejected"};
  return words[static_cast<std::size_t>(x)];
}

std::pair<std::string, std::string> split_path(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"/", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

ChildFigures::~ChildFigures() {
  delete uptime.load();
  delete health_latency.load();
  for (auto& one : backoff)
    delete one.load();
}

void ChildFigures::observe_uptime(double seconds) {
  made(uptime, uptime_bounds).observe(seconds);
}

void ChildFigures::observe_health_latency(double seconds) {
  made(health_latency, latency_bounds).observe(seconds);
}

void ChildFigures::observe_backoff(Decision decision, double seconds) {
  made(backoff[static_cast<std::size_t>(decision)], backoff_bounds).observe(seconds);
}

void ChildFigures::add(const ChildFigures& more) {
  for (std::size_t i = 0; i < decisions; ++i)
    restarts[i].add(more.restarts[i].get());
  meltdowns.add(more.meltdowns.get());
  for (std::size_t i = 0; i < fences; ++i)
    fence[i].add(more.fence[i].get());
  add_up(uptime, more.uptime, uptime_bounds);
  add_up(health_latency, more.health_latency, latency_bounds);
  for (std::size_t i = 0; i < decisions; ++i)
    add_up(backoff[i], more.backoff[i], backoff_bounds);
}

ChildTable::Shard& ChildTable::shard_of(const std::string& path) {
  return shards_[std::hash<std::string>{}(path) % shard_count];
}

ChildTable::Known* ChildTable::find_or_add(Shard& shard, const std::string& path) {
  if (const auto found = shard.known.find(path); found != shard.known.end()) {
    return &found->second;
  }
  if (size_.fetch_add(1) >= max_) {
    --size_;
    return nullptr;
  }
  auto [supervisor, child] = split_path(path);
  {
    const std::lock_guard lock{others_mutex_};
    supervisors_.insert(supervisor);
  }
  auto& made = shard.known[path];
  made.slot = std::make_unique<ChildSlot>();
  made.slot->path = std::move(supervisor);
  made.slot->child = std::move(child);
  return &made;
}

ChildSlot& ChildTable::others_of(const std::string& path) {
  auto supervisor = split_path(path).first;
  if (!others_.contains(supervisor) && others_.size() >= max_ + spare_supervisors) {
    supervisor = others;
  }
  auto& slot = others_[supervisor];
  if (!slot) {
    slot = std::make_unique<ChildSlot>();
    slot->path = supervisor;
    slot->child = others;
    supervisors_.insert(supervisor);
  }
  return *slot;
}

void ChildTable::forget(const std::string& path) {
  bool many = false;
  {
    const std::lock_guard lock{forgotten_mutex_};
    forgotten_.push_back(path);
    many = forgotten_.size() >= forgotten_at_once;
  }
  if (!many) return;
  const std::unique_lock hold{fold_mutex_, std::try_to_lock};
  if (hold) fold_forgotten();  // Otherwise somebody reads, and the next one does it.
}

ChildTable::View ChildTable::view() {
  View result{std::unique_lock{fold_mutex_}, {}};
  fold_forgotten();
  for (auto& shard : shards_) {
    const std::lock_guard lock{shard.mutex};
    for (const auto& [path, known] : shard.known)
      result.slots.push_back(known.slot.get());
  }
  const std::lock_guard lock{others_mutex_};
  for (const auto& [path, slot] : others_)
    result.slots.push_back(slot.get());
  return result;
}

void ChildTable::fold_forgotten() {
  std::vector<std::string> paths;
  {
    const std::lock_guard lock{forgotten_mutex_};
    paths.swap(forgotten_);
  }
  for (const auto& path : paths) {
    fold_below(path);
    fold(path);
  }
}

void ChildTable::fold(const std::string& path) {
  std::unique_ptr<ChildSlot> slot;
  {
    auto& shard = shard_of(path);
    const std::lock_guard lock{shard.mutex};
    shard.strangers.erase(path);
    const auto found = shard.known.find(path);
    if (found == shard.known.end()) return;
    slot = std::move(found->second.slot);
    shard.known.erase(found);
  }
  --size_;
  const std::lock_guard lock{others_mutex_};
  others_of(path).figures.add(slot->figures);
}

// What was below a supervisor that is gone comes to its own supervisor's others, step by step.
void ChildTable::fold_below(const std::string& path) {
  std::vector<std::string> gone;  // Deepest last.
  {
    const std::lock_guard lock{others_mutex_};
    for (auto at = supervisors_.lower_bound(path); at != supervisors_.end(); ++at) {
      if (!at->starts_with(path)) break;
      if (*at == path || is_below(*at, path)) gone.push_back(*at);
    }
  }
  if (gone.empty()) return;
  for (auto& shard : shards_) {
    std::vector<std::string> below;
    {
      const std::lock_guard lock{shard.mutex};
      std::erase_if(shard.strangers, [&](const auto& one) { return is_below(one.first, path); });
      for (const auto& [one, known] : shard.known)
        if (is_below(one, path)) below.push_back(one);
    }
    for (const auto& one : below)
      fold(one);
  }
  const std::lock_guard lock{others_mutex_};
  for (auto at = gone.rbegin(); at != gone.rend(); ++at) {
    supervisors_.erase(*at);
    const auto found = others_.find(*at);
    if (found == others_.end()) continue;
    const auto slot = std::move(found->second);
    others_.erase(found);
    others_of(*at).figures.add(slot->figures);
  }
}

}  // namespace espalier::metrics::internal
