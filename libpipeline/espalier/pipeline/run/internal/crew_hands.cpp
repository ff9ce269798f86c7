#include "espalier/pipeline/run/internal/crew.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

namespace espalier::pipeline::internal {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// Waking a thread costs 2 to 5 us on two processors. A hand that had less to do than this was
/// called in vain, and the next call waits longer.
constexpr Duration worth_a_call = 30us;
constexpr Duration shortest_gap = 20us;
/// So long may work lie about while threads are idle: those at work seemed to be back soon, but
/// were not. While nothing is left over there is no such look.
constexpr Duration longest_gap = 1ms;
/// Threads whose works are shorter than this spend their time at the lock, and in waking each
/// other.
constexpr Duration worth_company = 5us;
/// Who pulls from a quick source for longer is not taken to be back soon.
constexpr Duration longest_quick_pull = 100us;
/// So many works must have come back before their length is known.
constexpr std::uint64_t enough_rounds = 8;

}  // namespace

/// Notices that a task has ended the thread of a hand (pthread_exit).
class Crew::LastWords {
 public:
  LastWords(Crew& crew, Hand& hand) : crew_(crew), hand_(hand) {}
  ~LastWords() {
    if (regular_) return;
    Lock lock(crew_.mutex_);
    hand_.gone = true;
    crew_.leave(lock);
    lock.lock();
    if (!crew_.ending_) crew_.fallen_.push_back(std::move(hand_.thread));
  }
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;
  void regular() { regular_ = true; }

 private:
  Crew& crew_;
  Hand& hand_;
  bool regular_ = false;
};

std::size_t Crew::threads() const {
  const Lock lock(mutex_);
  const auto own =
      std::count_if(hands_.begin(), hands_.end(), [](const auto& hand) { return !hand->gone; });
  return static_cast<std::size_t>(own) + (lane_ ? 1 : 0);
}

bool Crew::has_leftovers() {
  return flow_.has_work(now_) || !ready_.empty() || sources_ready();
}

bool Crew::sources_ready() const {
  return sources_.ready([this](const SourceSet::Entry& entry) {
    return entry.has_something() && flow_.wants_items(entry.node);
  });
}

bool Crew::stalled() const {
  return stalled_ && rounds_ == rounds_watched_;
}

bool Crew::company_pays() const {
  return average_work_ >= worth_company || rounds_ < enough_rounds || stalled();
}

/// Those in kernels, and a caller that will be in one at once.
std::size_t Crew::at_work() const {
  const bool helper = caller_ == Runner::Caller::helps_with_quick &&
                      (helper_here_ || helper_away_) && !helper_works_;
  const bool pulls = pulling_quickly_ && now_ - pull_began_ < longest_quick_pull;
  return active_ + (helper ? 1 : 0) + (pulls ? 1 : 0);
}

/// Whether another thread would not just be in the way: of a caller that works along, or will be
/// back at once; of threads whose works are short.
bool Crew::may_work() {
  if (active_ == 0 && caller_ == Runner::Caller::helps) return !helper_away_;
  if (active_ == 0) return company_pays() || !(helper_here_ || helper_away_);
  return company_pays() && (at_work() < processors_ || stalled() || !ready_.empty() ||
                            flow_.wants_more_hands(at_work(), processors_, now_));
}

/// A caller of a stream pulls nothing, so that is done beside it.
bool Crew::may_pull() const {
  if (helper_away_ && caller_ == Runner::Caller::helps) return false;
  return active_ == 0 || helper_here_ || company_pays();
}

/// Who is awake pulls while there is any room; for little room nobody is called.
bool Crew::wants_hand() {
  const bool pulls = may_pull() && sources_ready();
  if (active_ == 0) return pulls || (may_work() && (!ready_.empty() || flow_.has_work(now_)));
  const auto busy = at_work();
  if (pulls && helper_here_ && busy < processors_) return true;
  if (!company_pays() || now_ < no_call_before_) return false;
  return (pulls && busy < processors_) || !ready_.empty() ||
         flow_.wants_more_hands(busy, processors_, now_);
}

void Crew::call_hand() {
  if (!running_ || ending_ || called_ > 0 || own_busy_ >= limit_) return;
  if (helper_away_ && caller_ == Runner::Caller::helps) return;
  if (!wants_hand() || call_helper()) return;
  Hand* hand = nullptr;
  if (!idle_.empty()) {
    hand = idle_.back();
    idle_.pop_back();
  } else {
    hand = std::exchange(keeper_, nullptr);
  }
  if (!hand) return spawn();
  hand->called = true;
  ++called_;
  hand->call.notify_one();
}

/// Who waits for results and can do what there is to do would be woken by its result anyway.
bool Crew::call_helper() {
  if (takers_.empty() || !takers_.front()->helps) return false;
  const auto longest = longest_item(false);
  const bool can_help = (!ready_.empty() && is_short(ready_.front().work, longest)) ||
                        flow_.has_work(now_, longest) ||
                        (caller_ == Runner::Caller::helps && sources_ready());
  if (!can_help) return false;
  auto& taker = *takers_.front();
  takers_.pop_front();
  taker.answered = taker.called = true;
  ++called_;
  taker.call.notify_one();
  return true;
}

void Crew::set_keeper(Deadline until) {
  if (!running_ || ending_) return;
  const auto look = now_ + longest_gap;
  const bool looks_soon =
      (until && *until <= look) || (keeper_ && keeper_until_ && *keeper_until_ <= look);
  const bool left_alone = called_ == 0 && own_busy_ < limit_ && has_leftovers() &&
                          !(helper_away_ && caller_ == Runner::Caller::helps);
  if (!looks_soon && (left_alone || sources_.may_hold_back())) until = look;
  if (!until) return;
  if (!keeper_ && idle_.empty()) {
    if (called_ == 0) spawn();  // Who is called comes here when it has nothing to do.
    return;
  }
  if (!keeper_) {
    keeper_ = idle_.front();
    idle_.erase(idle_.begin());
    keeper_until_.reset();
  }
  if (keeper_until_ && *keeper_until_ <= *until) return;
  keeper_until_ = until;
  keeper_->call.notify_one();
}

void Crew::spawn() {
  const auto alive =
      std::count_if(hands_.begin(), hands_.end(), [](const auto& hand) { return !hand->gone; });
  // One more than may work: somebody has to watch the time while all others are in tasks.
  if (static_cast<std::size_t>(alive) >= limit_ + std::max<std::size_t>(pulling_, 1)) return;
  auto made = std::find_if(hands_.begin(), hands_.end(),
                           [](const auto& hand) { return hand->gone && !hand->thread.joinable(); });
  if (made == hands_.end()) made = hands_.insert(hands_.end(), std::make_unique<Hand>());
  Hand& hand = **made;
  auto name = options_.thread_name + "-" + std::to_string(made - hands_.begin());
  try {
    hand.thread = std::thread([this, &hand, name = std::move(name)] {
      pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
      hand_main(hand);
    });
    hand.gone = false;
    hand.called = true;
    ++called_;
  } catch (const std::system_error& error) {
    hand.gone = true;
    if (alive > 0 || active_ > 0) return;  // Those go on.
    std::vector<std::uint64_t> works;
    flow_.abort("no thread could be started: " + std::string(error.what()), now_, works);
    request_stops(works);
  }
}

void Crew::hand_main(Hand& hand) {
  LastWords last_words(*this, hand);
  WorkContext context(tables_);
  Lock lock(mutex_);
  answer_call(hand);
  while (!ending_) {
    if (may_go_on() && round(lock, context, true)) continue;
    if (!tidy(lock)) park(lock, hand);
  }
  last_words.regular();
}

/// Notes when a hand came, to judge later whether it was worth the call.
void Crew::answer_call(Hand& hand) {
  read_clock();
  hand.called_at.reset();
  if (!std::exchange(hand.called, false)) return;
  --called_;
  hand.called_at = now_;
}

bool Crew::may_go_on() {
  return own_busy_ < limit_ && (may_work() || may_pull());
}

void Crew::park(Lock& lock, Hand& hand) {
  if (hand.called_at) {
    const bool in_vain = now_ - *hand.called_at < worth_a_call;
    call_gap_ = in_vain ? std::clamp(call_gap_ * 2, shortest_gap, longest_gap) : Duration{};
    no_call_before_ = now_ + call_gap_;
  }
  idle_.push_back(&hand);
  set_keeper(flow_.next_deadline());
  bool time_over = false;
  while (!hand.called && !ending_ && !time_over) {
    if (keeper_ != &hand || !keeper_until_) {
      hand.call.wait(lock);
    } else {
      const auto until = *keeper_until_;
      hand.call.wait_until(lock, until);
      time_over = keeper_ == &hand && keeper_until_ && *keeper_until_ <= Clock::now();
    }
  }
  answer_call(hand);
  if (!time_over) return;
  if (keeper_ == &hand) keeper_ = nullptr;
  keeper_until_.reset();
  stalled_ = rounds_ == rounds_watched_;
  rounds_watched_ = rounds_;
  if (stalled_ && caller_ == Runner::Caller::helps_with_quick) helper_away_ = false;
  sources_.watch();
  tick();
}

void Crew::end_hands(Lock& lock) {
  joining_ = ending_ = true;
  for (const auto& hand : hands_)
    hand->call.notify_one();
  auto fallen = std::exchange(fallen_, {});
  auto lane = std::move(lane_);
  lock.unlock();
  for (const auto& hand : hands_)
    if (hand->thread.joinable()) hand->thread.join();
  for (auto& thread : fallen)
    thread.join();
  lane.reset();
  lock.lock();
  hands_.clear();
  idle_.clear();
  keeper_ = nullptr;
  keeper_until_.reset();
  called_ = 0;
  ending_ = joining_ = false;
  running_ = false;
}

}  // namespace espalier::pipeline::internal
