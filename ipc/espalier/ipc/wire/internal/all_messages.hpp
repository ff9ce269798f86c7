#pragma once

#include "espalier/ipc/wire/messages.hpp"

namespace espalier::ipc::internal {

/// Calls `f.template operator()<T>(name)` for every message, with its name in `$defs` of
/// ipc.schema.json.
template <class F>
void for_each_message(F&& f) {
  f.template operator()<ExitInfo>("exit_info");
  f.template operator()<RestartsInfo>("restarts_info");
  f.template operator()<PendingRestart>("pending_restart");
  f.template operator()<ResourceInfo>("resource_info");
  f.template operator()<NodeInfo>("node_info");
  f.template operator()<TargetRef>("target_ref");
  f.template operator()<DroppedInfo>("dropped_info");
  f.template operator()<ShutdownInfo>("shutdown_info");
  f.template operator()<Snapshot>("snapshot");
  f.template operator()<ErrorBody>("error");
  f.template operator()<Nothing>("nothing");
  f.template operator()<HelloParams>("hello_params");
  f.template operator()<CommandInfo>("command_info");
  f.template operator()<LimitsInfo>("limits_info");
  f.template operator()<HelloResult>("hello_result");
  f.template operator()<PingResult>("ping_result");
  f.template operator()<HealthResult>("health_result");
  f.template operator()<StateParams>("state_params");
  f.template operator()<StateResult>("state_result");
  f.template operator()<StateSubscribeParams>("state_subscribe_params");
  f.template operator()<StateSubscribeResult>("state_subscribe_result");
  f.template operator()<SnapshotPush>("snapshot_push");
  f.template operator()<StateDeltaPush>("state_delta_push");
  f.template operator()<WireEventFilter>("event_filter");
  f.template operator()<Cursor>("cursor");
  f.template operator()<EventsSubscribeParams>("events_subscribe_params");
  f.template operator()<SubscribeResult>("subscribe_result");
  f.template operator()<EventPush>("event_push");
  f.template operator()<GapPush>("gap_push");
  f.template operator()<EventsQueryParams>("events_query_params");
  f.template operator()<EventsPage>("events_page");
  f.template operator()<LogsTailParams>("logs_tail_params");
  f.template operator()<LogLine>("log_line");
  f.template operator()<LogsTailResult>("logs_tail_result");
  f.template operator()<LogPush>("log_push");
  f.template operator()<UnsubscribeParams>("unsubscribe_params");
  f.template operator()<EndPush>("end_push");
  f.template operator()<ByePush>("bye_push");
  f.template operator()<PathParams>("path_params");
  f.template operator()<RuleInfo>("rule_info");
  f.template operator()<DecisionInfo>("decision_info");
  f.template operator()<WhyResult>("why_result");
  f.template operator()<PipelinesParams>("pipelines_params");
  f.template operator()<PipelineStageInfo>("pipeline_stage_info");
  f.template operator()<PipelineWorkerInfo>("pipeline_worker_info");
  f.template operator()<PipelineInfo>("pipeline_info");
  f.template operator()<PipelinesResult>("pipelines_result");
  f.template operator()<CommandParams>("command_params");
  f.template operator()<OutcomeInfo>("outcome_info");
  f.template operator()<CommandAnswer>("command_answer");
  f.template operator()<AuditQueryParams>("audit_query_params");
  f.template operator()<AuditPage>("audit_page");
  f.template operator()<AuditRecord>("audit_record");
  f.template operator()<RegisterParams>("register_params");
  f.template operator()<RegisterResult>("register_result");
  f.template operator()<HeartbeatParams>("heartbeat_params");
}

}  // namespace espalier::ipc::internal
