// CAF 0.17's own streams: one worker a stage, as they are; policy `sharing`, two threads.
#include "work.hpp"

#include <caf/all.hpp>
#include <caf/attach_stream_sink.hpp>
#include <caf/attach_stream_source.hpp>
#include <caf/attach_stream_stage.hpp>

#include <future>
#include <memory>

namespace espalier::benchmarks {
namespace {

using caf::downstream;
using caf::stream;
using Number = std::uint64_t;

caf::behavior source(caf::event_based_actor* self, Number items) {
  return {[=](caf::open_atom) {
    return caf::attach_stream_source(
        self, [](Number& next) { next = 0; },
        [=](Number& next, downstream<Number>& out, std::size_t most) {
          for (; most > 0 && next < items; --most)
            out.push(next++);
        },
        [=](const Number& next) { return next == items; });
  }};
}

caf::behavior middle(caf::event_based_actor* self, Number rounds) {
  return {[=](stream<Number> in) {
    return caf::attach_stream_stage(
        self, in, [](caf::unit_t&) {},
        [=](caf::unit_t&, downstream<Number>& out, Number x) { out.push(stage(x, rounds)); },
        [](caf::unit_t&, const caf::error&) {});
  }};
}

caf::behavior sink(caf::event_based_actor* self, std::shared_ptr<std::promise<Tally>> done) {
  return {[=](stream<Number> in) {
    return caf::attach_stream_sink(
        self, in, [](Tally&) {},
        [](Tally& tally, Number x) {
          tally.sum += x;
          ++tally.count;
        },
        [=](Tally& tally, const caf::error&) { done->set_value(tally); });
  }};
}

}  // namespace

Tally with_caf_stream(const Job& job) {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{2});
  caf::actor_system system{config};
  auto done = std::make_shared<std::promise<Tally>>();
  auto result = done->get_future();
  auto line = system.spawn(sink, done) * system.spawn(middle, job.rounds) *
              system.spawn(middle, job.rounds) * system.spawn(middle, job.rounds) *
              system.spawn(source, job.items);
  caf::anon_send(line, caf::open_atom::value);
  return result.get();
}

}  // namespace espalier::benchmarks
