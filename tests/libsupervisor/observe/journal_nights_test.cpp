#include "libsupervisor/observe/journal_nights.hpp"

#include <array>
#include <cerrno>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;

#ifdef NDEBUG
constexpr std::uint64_t nights = 5000;
#else
constexpr std::uint64_t nights = 1000;  // Of a build that checks itself, too, and takes its time.
#endif

JournalSpec spec_of(std::uint64_t seed) {
  JournalSpec spec;
  spec.folder = "journal";
  spec.segment_bytes = std::size_t{2048} << (seed % 3);
  spec.max_bytes = seed % 4 == 0 ? 16384 : 1UL << 30U;
  spec.sync = seed % 3 == 0   ? JournalSync::interval
              : seed % 7 == 0 ? JournalSync::never
                              : JournalSync::always;
  return spec;
}

/// Nothing fails, or now and then a call, or each one.
void change_the_weather(JournalNights& journal) {
  static constexpr std::array errors = {ENOSPC, EIO, EROFS};
  const int error = errors[journal.below(errors.size())];
  const auto one_in = std::array<std::uint64_t, 4>{0, 0, 12, 1}[journal.below(4)];
  journal.disk().fault = [&journal, error, one_in] {
    return one_in != 0 && journal.below(one_in) == 0 ? error : 0;
  };
}

void live_through_a_night(JournalNights& journal) {
  for (int run = 0; run < 3; ++run) {
    journal.start();
    for (auto step = 4 + journal.below(12); step-- > 0;) {
      if (journal.below(6) == 0) change_the_weather(journal);
      journal.publish(journal.below(10), journal.below(5) == 0 ? 1500 : 40);
      if (journal.below(3) != 0) journal.work(std::chrono::milliseconds{journal.below(900)});
      if (journal.below(8) == 0) journal.check();
    }
    const auto how = journal.below(4);
    if (how == 0) journal.end();
    if (how == 1) journal.kill();
    if (how >= 2) journal.lose_power();
    journal.check();
    if (testing::Test::HasFatalFailure()) return;
  }
}

// Random ends on a disk that fails at random moments. What is safe is there, what is missing is
// named, and no line is taken for what it is not.
TEST(JournalNights, AllOfThemEndWell) {
  for (std::uint64_t seed = 1; seed <= nights; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    JournalNights journal{spec_of(seed), seed};
    live_through_a_night(journal);
    if (HasFatalFailure()) return;
    journal.disk().fault = [] { return 0; };
    journal.start();
    journal.publish(1, 10);
    journal.work(2s);
    journal.work(2s);
    journal.lose_power();
    journal.check();
    if (HasFatalFailure()) return;
  }
}

/// A short life in which the call `failing` fails. False: there were not so many calls.
bool survives_a_failure_of(std::uint64_t failing, int error, std::uint64_t how_many) {
  JournalSpec spec = spec_of(1);
  JournalNights journal{spec, failing};
  std::uint64_t calls = 0;
  journal.disk().fault = [&] {
    ++calls;
    return calls >= failing && calls < failing + how_many ? error : 0;
  };
  for (int run = 0; run < 2; ++run) {
    journal.start();
    for (int batch = 0; batch < 12; ++batch) {
      journal.publish(3, 300);
      journal.work(400ms);
    }
    for (int more = 0; more < 6; ++more)
      journal.work(2s);
    if (run == 0) journal.kill();
  }
  const bool failed = calls >= failing;
  journal.disk().fault = [] { return 0; };
  journal.check();
  journal.check_that_nothing_is_unaccounted_for();
  journal.lose_power();
  journal.check();
  return failed;
}

TEST(JournalNights, AnyCallToTheDiskMayFail) {
  for (const int error : {ENOSPC, EIO, EROFS, EFBIG}) {
    for (const std::uint64_t how_many : {1U, 2U, 5U}) {
      std::uint64_t n = 1;
      while (survives_a_failure_of(n, error, how_many)) {
        if (HasFatalFailure()) FAIL() << "call " << n << " of " << how_many << ": " << error;
        ++n;
      }
      EXPECT_GT(n, 60U) << "it did little";
    }
  }
}

}  // namespace
}  // namespace espalier::supervisor
