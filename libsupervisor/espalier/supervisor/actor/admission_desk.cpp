#include "espalier/supervisor/actor/admission_desk.hpp"

namespace espalier::supervisor {

void AdmissionDesk::request(const std::shared_ptr<ReportLine>& line, const std::string& path,
                            const effect::RequestAdmission& what, TimePoint now) {
  const std::lock_guard lock{mutex_};
  const auto [place, is_new] =
      ids_.try_emplace(Key{line.get(), what.child, what.number}, last_ + 1);
  if (!is_new) return;
  waiters_[++last_] = {line, {what.child, what.number}};
  gate_.request(last_, path, now);
  admit(now);
}

void AdmissionDesk::end(const std::shared_ptr<ReportLine>& line, const effect::EndAdmission& what,
                        TimePoint now) {
  const std::lock_guard lock{mutex_};
  const auto found = ids_.find(Key{line.get(), what.child, what.number});
  if (found == ids_.end()) return;
  gate_.end(found->second);
  waiters_.erase(found->second);
  ids_.erase(found);
  admit(now);
}

void AdmissionDesk::drop(const std::shared_ptr<ReportLine>& line, TimePoint now) {
  const std::lock_guard lock{mutex_};
  auto i = ids_.lower_bound(Key{line.get(), 0, 0});
  while (i != ids_.end() && std::get<0>(i->first) == line.get()) {
    gate_.end(i->second);
    waiters_.erase(i->second);
    i = ids_.erase(i);
  }
  admit(now);
}

void AdmissionDesk::poll(TimePoint now) {
  const std::lock_guard lock{mutex_};
  admit(now);
}

std::optional<TimePoint> AdmissionDesk::next_deadline() const {
  const std::lock_guard lock{mutex_};
  return gate_.next_deadline();
}

// Lines only post a message: nothing comes back here while the lock is held.
void AdmissionDesk::admit(TimePoint now) {
  for (const auto id : gate_.admitted(now)) {
    const auto found = waiters_.find(id);
    if (found != waiters_.end()) found->second.line->send(found->second.answer);
  }
}

}  // namespace espalier::supervisor
