#include "espalier/ipc/client/internal/push_queue.hpp"

#include <nlohmann/json.hpp>

namespace espalier::ipc::internal {
namespace {

std::uint64_t number(const Json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_number_unsigned() ? field->get<std::uint64_t>() : 0;
}

}  // namespace

void PushQueue::add(Push push, std::size_t bytes) {
  bytes_ += bytes;
  kept_.push_back({.push = std::move(push), .bytes = bytes});
  while (kept_.size() > max_lines_ || (bytes_ > max_bytes_ && kept_.size() > 1)) {
    lose(kept_.front().push);
    bytes_ -= kept_.front().bytes;
    kept_.pop_front();
  }
}

void PushQueue::lose(const Push& push) {
  GapPush& gap = lost_[push.subscription_id];
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t count = 1;
  if (push.type == "gap") {
    from = number(push.body, "from");
    to = number(push.body, "to");
    count = number(push.body, "count");
  } else if (const auto event = push.body.find("event"); event != push.body.end()) {
    from = to = number(*event, "sequence");
  }
  if (gap.from == 0) gap.from = from;
  if (to != 0) gap.to = to;
  gap.count += count;
}

std::optional<Push> PushQueue::take() {
  if (!lost_.empty()) {
    auto node = lost_.extract(lost_.begin());
    GapPush& gap = node.mapped();
    gap.subscription_id = node.key();
    gap.reason = "slow_reader";
    return Push{.type = "gap", .subscription_id = node.key(), .body = as_json(gap)};
  }
  if (kept_.empty()) return {};
  Push push = std::move(kept_.front().push);
  bytes_ -= kept_.front().bytes;
  kept_.pop_front();
  return push;
}

}  // namespace espalier::ipc::internal
