#include "espalier/pipeline/declare/internal/fields.hpp"
#include "espalier/pipeline/declare/internal/values.hpp"

namespace espalier::pipeline::internal {

using supervisor::Jitter;
using supervisor::internal::code_list_value;
using supervisor::internal::decimal_value;
using supervisor::internal::duration_value;
using supervisor::internal::FieldInfo;
using supervisor::internal::flag_value;
using supervisor::internal::name_value;
using supervisor::internal::number_value;
using supervisor::internal::rows_of;
using supervisor::internal::signal_value;
using supervisor::internal::text_list_value;
using supervisor::internal::text_map_value;
using supervisor::internal::text_value;
using supervisor::internal::word_value;
using supervisor::internal::Zero;

namespace {

constexpr std::int64_t most_items = 1'000'000;

/// Hands on all fields but one.
class AllBut : public FieldVisitor {
 public:
  AllBut(FieldVisitor& to, std::string key) : to_(to), key_(std::move(key)) {}
  void value(const FieldInfo& info, const Value& value) override {
    if (info.key != key_) to_.value(info, value);
  }
  void group(const FieldInfo& info, const std::string& shorthand, const Body& body) override {
    to_.group(info, shorthand, body);
  }
  void optional(const FieldInfo& info, const std::string& shorthand, const Presence& presence,
                const Body& body) override {
    to_.optional(info, shorthand, presence, body);
  }
  void rows(const FieldInfo& info, const Rows& rows) override { to_.rows(info, rows); }

 private:
  FieldVisitor& to_;
  std::string key_;
};

/// A group that is there only when it is written.
template <class T>
void describe_optional(FieldVisitor& v, const FieldInfo& info, const std::string& shorthand,
                       std::optional<T>& target, void (*describe)(FieldVisitor&, T&)) {
  v.optional(info, shorthand,
             {target.has_value(),
              [&target] {
                if (!target) target.emplace();
              },
              [&target] { target.reset(); }},
             [&target, describe](FieldVisitor& inner) {
               T unset;
               describe(inner, target ? *target : unset);
             });
}

void describe_condition(FieldVisitor& v, ConditionSpec& condition) {
  v.value({"field", "Without a comparison: is it there?", "size"}, field_value(condition.field));
  v.value({"equals", "The field is this.", "image"}, equals_value(condition.one_of));
  v.value({"one_of", "The field is one of these.", "[image, video]"},
          one_of_value(condition.one_of));
  v.value({"above", "The field is a number larger than this.", "0"}, bound_value(condition.above));
  v.value({"below", "The field is a number smaller than this.", "100"},
          bound_value(condition.below));
  v.value({"not", "Turns the answer round."}, flag_value(condition.negate));
}

void describe_route(FieldVisitor& v, RouteSpec& route) {
  v.value({"to", "The stage for such items.", "images"}, name_value(route.to));
  describe_condition(v, route.when);
}

void describe_batch(FieldVisitor& v, BatchOptions& batch) {
  v.value({"count", "Full with so many items; 0 for no bound."},
          number_value(batch.count, 0, most_items));
  v.value({"time", "Full so long after its first item; 0s for no bound."},
          duration_value(batch.time, Zero::allowed));
  v.value({"bytes", "Full with so much JSON; 0 for no bound."}, size_value(batch.bytes));
}

void describe_window(FieldVisitor& v, WindowOptions& window) {
  v.value({"size", "Items in a window."}, number_value(window.size, 0, most_items));
  v.value({"step", "A new window begins every so many items; 0: every size items."},
          number_value(window.step, 0, most_items));
  v.value({"time", "Windows of this length instead; 0s: by number."},
          duration_value(window.time, Zero::allowed));
}

void describe_retry(FieldVisitor& v, StageSpec& stage) {
  auto& retry = stage.options.retry;
  v.value({"attempts", "In all; 1: no second one."}, number_value(retry.attempts, 1, 10'000));
  v.group({"backoff", "Delays between attempts. A waiting item holds no worker."}, "initial",
          [&](FieldVisitor& inner) {
            inner.value({"initial", "Before the second attempt; each further one doubles it."},
                        duration_value(retry.backoff.initial, Zero::allowed));
            inner.value({"max", "No delay is longer than this."},
                        duration_value(retry.backoff.max, Zero::allowed));
            inner.value(
                {"jitter", "How delays are spread."},
                word_value<Jitter>(retry.backoff.jitter, {{Jitter::none, "none"},
                                                          {Jitter::full, "full"},
                                                          {Jitter::equal, "equal"},
                                                          {Jitter::decorrelated, "decorrelated"}}));
          });
  v.value({"give_up_after", "No attempt begins so long after the first; 0s for no bound."},
          duration_value(retry.give_up_after, Zero::allowed));
  v.value({"not_for_exit_codes", "A command that ends with one of these is not run again."},
          code_list_value(stage.no_retry_exit_codes));
}

void describe_rate(FieldVisitor& v, RateLimit& rate) {
  v.value({"per_second", "Items that may begin a second; 0 for no bound."},
          decimal_value(rate.per_second, 0, 1'000'000, Zero::allowed));
  v.value({"burst", "Items at once before that rate holds."},
          decimal_value(rate.burst, 1, 1'000'000));
  v.value({"shared_as", "Stages with the same name here are limited together.", "api"},
          text_value(rate.shared_as));
}

void describe_breaker(FieldVisitor& v, BreakerOptions& breaker) {
  v.value({"threshold", "Opens when this share of the last attempts has failed."},
          decimal_value(breaker.threshold, 0, 1));
  v.value({"window", "How many attempts are looked at."}, number_value(breaker.window, 1, 100'000));
  v.value({"minimum", "Fewer attempts than this open nothing."},
          number_value(breaker.minimum, 1, 100'000));
  v.value({"open_for", "So long nothing is tried."},
          duration_value(breaker.open_for, Zero::refused));
  v.value({"probes", "Attempts that must then succeed."}, number_value(breaker.probes, 1, 1000));
  v.value({"hold", "While open, items wait; else they fail at once."}, flag_value(breaker.hold));
}

void describe_adaptive(FieldVisitor& v, AdaptiveOptions& adaptive) {
  v.value({"min", "Fewest workers."}, number_value(adaptive.min, 1, 10'000));
  v.value({"max", "Most workers."}, number_value(adaptive.max, 1, 10'000));
  v.value({"every", "How often the number is looked at."},
          duration_value(adaptive.every, Zero::refused));
}

void describe_command(FieldVisitor& v, StageSpec& stage) {
  v.value({"command",
           "Programme and arguments; no shell is involved. It reads the item, a line of JSON, "
           "and writes the result.",
           "[jq, -c, .size]"},
          text_list_value(stage.process.command));
  v.value({"mode", "A process for each item, or one for each worker that answers line by line."},
          word_value<CommandMode>(
              stage.mode, {{CommandMode::per_item, "per_item"}, {CommandMode::lines, "lines"}}));
  v.value({"result",
           "What the output of the command is: the item from now on, as JSON or as a text; or "
           "nothing, and the item stays as it was (input) or ends here (none)."},
          word_value<ResultForm>(stage.result, {{ResultForm::json, "json"},
                                                {ResultForm::text, "text"},
                                                {ResultForm::input, "input"},
                                                {ResultForm::none, "none"}}));
  v.value(
      {"error_field", "An answer with this field is a failure, which the field explains.", "error"},
      field_value(stage.error_field));
  AllBut without_log(v, "log_output");
  supervisor::internal::describe_surroundings(without_log, stage.process);
  v.value({"stop_signal", "Asks a command to stop that ran out of time."},
          signal_value(stage.process.stop_signal));
  v.value({"kill_after", "From that signal to SIGKILL."},
          duration_value(stage.kill_after, Zero::refused));
  v.value({"success_exit_codes", "Exit codes that mean success; for mode per_item."},
          code_list_value(stage.process.success_exit_codes));
}

void describe_shapes(FieldVisitor& v, StageSpec& stage) {
  v.value({"task", "Instead of a command: a name under which the programme registered code.",
           "normalise"},
          text_value(stage.task));
  v.value({"params", "Settings handed to the task.", "{depth: 3}"}, text_map_value(stage.params));
  describe_optional<ConditionSpec>(v, {"filter", "Only items with this go on; others are skipped."},
                                   "field", stage.filter, describe_condition);
  describe_optional<BatchOptions>(v, {"batch", "Gathers items into a list, which goes on."},
                                  "count", stage.batch, describe_batch);
  describe_optional<WindowOptions>(v, {"window", "Lists of neighbouring items, which may overlap."},
                                   "size", stage.window, describe_window);
  v.value({"unpack", "Each element of a list goes on as an item of its own."},
          flag_value(stage.unpack));
  v.rows({"split", "Where items go: the first line that fits; else to next."},
         rows_of<RouteSpec>(stage.split, describe_route));
  v.value({"broadcast", "Each of these stages gets the item.", "[index, archive]"},
          text_list_value(stage.broadcast));
}

}  // namespace

void describe_stage(FieldVisitor& v, StageSpec& stage) {
  auto& options = stage.options;
  v.value({"name", "Unique.", "resize"}, name_value(stage.name));
  describe_command(v, stage);
  describe_shapes(v, stage);
  describe_optional<ConditionSpec>(v, {"skip_if", "Items with this pass the stage untouched."},
                                   "field", stage.skip_if, describe_condition);
  v.value({"next", "The stage that follows, or output; the one below when left out.", "output"},
          name_value(stage.next));
  v.value({"workers", "Items in work at a time."}, number_value(options.workers, 1, 10'000));
  v.value({"capacity", "Items at the stage, in work or waiting; 0: ten for each worker."},
          number_value(options.capacity, 0, most_items));
  v.value({"timeout", "Of one attempt; 0s for no bound."},
          duration_value(options.timeout, Zero::allowed));
  v.group({"retry", "What happens after a failure."}, "attempts",
          [&](FieldVisitor& inner) { describe_retry(inner, stage); });
  v.group({"rate", "How fast items may begin."}, "per_second",
          [&](FieldVisitor& inner) { describe_rate(inner, options.rate); });
  describe_optional<BreakerOptions>(v, {"breaker", "Stops trying while most attempts fail."}, "",
                                    options.breaker, describe_breaker);
  describe_optional<AdaptiveOptions>(v, {"adaptive", "The number of workers follows the load."},
                                     "max", options.adaptive, describe_adaptive);
  v.value({"order", "Items leave as they end, as they came, or in order within a key."},
          word_value<Order>(options.order, {{Order::completion, "completion"},
                                            {Order::input, "input"},
                                            {Order::by_key, "by_key"}}));
  v.value({"key", "For order by_key: the field whose value is the key.", "customer"},
          field_value(stage.key));
  v.value({"aging",
           "Waiting so long makes an item as urgent as one whose priority is lower by one; 0s: no "
           "aging. "
           "Without priority: in the pipeline all are equally urgent, and it has no effect."},
          duration_value(options.aging, Zero::allowed));
}

}  // namespace espalier::pipeline::internal
