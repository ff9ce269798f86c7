#include "espalier/pipeline/declare/internal/fields.hpp"

#include "espalier/pipeline/declare/internal/values.hpp"

namespace espalier::pipeline::internal {

using supervisor::internal::duration_value;
using supervisor::internal::flag_value;
using supervisor::internal::name_value;
using supervisor::internal::rows_of;
using supervisor::internal::text_value;
using supervisor::internal::word_value;
using supervisor::internal::Words;
using supervisor::internal::Zero;

namespace {

const Words<Order>& order_words(bool of_output) {
  static const Words<Order> of_stage{
      {Order::completion, "completion"}, {Order::input, "input"}, {Order::by_key, "by_key"}};
  static const Words<Order> of_results{{Order::completion, "completion"}, {Order::input, "input"}};
  return of_output ? of_results : of_stage;
}

void describe_output(FieldVisitor& v, PipelineSpec& spec) {
  v.value({"order", "As items end, or as they came in."},
          word_value<Order>(spec.output_order, order_words(true)));
  v.value({"envelope", "Write each result as {\"id\": ..., \"value\": ...}."},
          flag_value(spec.envelope));
}

void describe_checkpoint(FieldVisitor& v, CheckpointSpec& checkpoint) {
  v.value({"path", "A file that is made when it is not there.", "work.db"},
          text_value(checkpoint.path));
  v.value({"keep", "Items that have ended are remembered so long, so that none is done twice."},
          duration_value(checkpoint.keep, Zero::allowed));
}

}  // namespace

void describe_settings(FieldVisitor& v, PipelineSpec& spec) {
  v.value({"name", "Shown wherever the pipeline is shown."}, name_value(spec.name));
  v.group({"output", "How results are written."}, "order",
          [&](FieldVisitor& inner) { describe_output(inner, spec); });
  v.value({"id",
           "The field by which an item is known; its line when left out. No two items share "
           "an id.",
           "order_id"},
          field_value(spec.id_field));
  v.value({"priority",
           "The field with an item's priority, a whole number: lower ones go first where items "
           "wait. An item without it has 100.",
           "urgency"},
          field_value(spec.priority_field));
  v.value({"item_deadline", "From reading an item to its end, all stages; 0s for no bound."},
          duration_value(spec.item_deadline, Zero::allowed));
  v.value({"dead_letters", "Where failed items are written, with the reason.", "failed.ndjson"},
          text_value(spec.dead_letters));
  v.optional({"checkpoint", "A database of unfinished items, for --resume after a stop or crash."},
             "path",
             {spec.checkpoint.has_value(),
              [&] {
                if (!spec.checkpoint) spec.checkpoint.emplace();
              },
              [&] { spec.checkpoint.reset(); }},
             [&](FieldVisitor& inner) {
               CheckpointSpec unset;
               describe_checkpoint(inner, spec.checkpoint ? *spec.checkpoint : unset);
             });
}

void describe_pipeline(FieldVisitor& v, PipelineSpec& spec) {
  describe_settings(v, spec);
  v.rows({"stages", "What is done with the items, from the first stage to the last."},
         rows_of<StageSpec>(spec.stages, describe_stage));
}

}  // namespace espalier::pipeline::internal
