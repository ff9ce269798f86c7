#include "espalier/supervisor/core/admission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimePoint start{};

void ask(AdmissionGate& gate, AdmissionGate::Id id, TimePoint now) {
  gate.request(id, "/child" + std::to_string(id), now);
}

TEST(AdmissionGate, WithoutBoundsLetsEverybodyInAtOnce) {
  AdmissionGate gate{{}};
  ask(gate, 1, start);
  ask(gate, 2, start);
  EXPECT_THAT(gate.admitted(start), ElementsAre(1, 2));
  EXPECT_THAT(gate.admitted(start), IsEmpty());
}

TEST(AdmissionGate, KeepsThePlacesAndTheOrderOfTheRequests) {
  AdmissionGate gate{{.max_concurrent_starts = 2}};
  for (AdmissionGate::Id id = 1; id <= 4; ++id)
    ask(gate, id, start);
  EXPECT_THAT(gate.admitted(start), ElementsAre(1, 2));
  EXPECT_FALSE(gate.next_deadline()) << "only a free place helps";
  gate.end(2);
  EXPECT_THAT(gate.admitted(start), ElementsAre(3));
  gate.end(1);
  gate.end(3);
  EXPECT_THAT(gate.admitted(start), ElementsAre(4));
  EXPECT_EQ(gate.inside(), 1u);
}

TEST(AdmissionGate, SpendsTheBurstThenOneForEachToken) {
  AdmissionGate gate{{.restarts_per_second = 2, .burst = 3}};
  for (AdmissionGate::Id id = 1; id <= 5; ++id)
    ask(gate, id, start);
  EXPECT_THAT(gate.admitted(start), ElementsAre(1, 2, 3));
  ASSERT_EQ(gate.next_deadline(), start + 500ms);
  EXPECT_THAT(gate.admitted(start + 499ms), IsEmpty());
  EXPECT_THAT(gate.admitted(*gate.next_deadline()), ElementsAre(4));
  EXPECT_THAT(gate.admitted(start + 999ms), IsEmpty());
  EXPECT_THAT(gate.admitted(start + 1s), ElementsAre(5));
  EXPECT_FALSE(gate.next_deadline());
}

TEST(AdmissionGate, TokensDoNotPileUpBeyondTheBurst) {
  AdmissionGate gate{{.restarts_per_second = 10, .burst = 2}};
  ask(gate, 1, start);
  EXPECT_THAT(gate.admitted(start), ElementsAre(1));
  for (AdmissionGate::Id id = 2; id <= 5; ++id)
    ask(gate, id, start + 1h);
  EXPECT_THAT(gate.admitted(start + 1h), ElementsAre(2, 3));
}

TEST(AdmissionGate, ATakenBackRequestCostsNothing) {
  AdmissionGate gate{{.max_concurrent_starts = 1, .restarts_per_second = 1, .burst = 1}};
  ask(gate, 1, start);
  EXPECT_THAT(gate.admitted(start), ElementsAre(1));
  ask(gate, 2, start);
  ask(gate, 3, start);
  gate.end(2);
  gate.end(99);
  gate.end(1);
  EXPECT_EQ(gate.waiting(), 1u);
  EXPECT_THAT(gate.admitted(start + 1s), ElementsAre(3));
}

TEST(AdmissionGate, ASecondRequestJoinsTheFirst) {
  AdmissionGate gate{{.max_concurrent_starts = 5}};
  ask(gate, 1, start);
  ask(gate, 1, start);
  EXPECT_THAT(gate.admitted(start), ElementsAre(1));
  ask(gate, 1, start);
  EXPECT_THAT(gate.admitted(start), IsEmpty());
}

TEST(AdmissionGate, TimeThatGoesBackwardsGivesNoTokens) {
  AdmissionGate gate{{.restarts_per_second = 1, .burst = 1}};
  ask(gate, 1, start + 10s);
  EXPECT_THAT(gate.admitted(start + 10s), ElementsAre(1));
  ask(gate, 2, start);
  EXPECT_THAT(gate.admitted(start), IsEmpty());
  EXPECT_EQ(gate.next_deadline(), start + 11s);
}

// A supervisor is up only when those below are, so it must not hold the place that they wait for.
TEST(AdmissionGate, ARestartBelowOneThatIsInsideGetsItsPlace) {
  AdmissionGate gate{{.max_concurrent_starts = 1}};
  gate.request(1, "/db", start);
  EXPECT_THAT(gate.admitted(start), ElementsAre(1));
  gate.request(2, "/db2/reader", start);
  EXPECT_THAT(gate.admitted(start), IsEmpty()) << "/db2/reader is not below /db";
  gate.request(3, "/db/pool/7", start);
  EXPECT_THAT(gate.admitted(start), ElementsAre(2)) << "they keep the order of their requests";
  gate.end(1);
  EXPECT_THAT(gate.admitted(start), IsEmpty()) << "/db has had no place to give up";
  gate.end(2);
  EXPECT_THAT(gate.admitted(start), ElementsAre(3));
}

}  // namespace
}  // namespace espalier::supervisor
