"""Breaks what carries out the engine's decisions: nothing of a tree outlives it unseen, nobody
waits for an answer for ever, and who looks on can neither hold it up nor miss events
unknowingly."""

BASE = "libsupervisor/espalier/supervisor"
RUNTIME = "supervisor_runtime_test_real"
TESTS = {
    "actor": ["supervisor_actor_test"],
    "hub": ["supervisor_runtime_test"],
    "end": ["supervisor_actor_test", f"{RUNTIME} *SupervisorRuntime*:StuckActor*:PipelineChild*"],
    "async": [f"{RUNTIME} AsyncRuntime*"],
    "lost": ["supervisor_actor_test_real"],
    "process": [f"{RUNTIME} ProcessTree*:Reconcile*"],
    "commands": ["supervisor_actor_test", f"{RUNTIME} Commands*"],
}

NEVER = "if (false) {"
HARMLESS = "} catch (const int&) {"

# group, name, tests, file, text, replacement.
MUTATIONS = [
    # Nothing outlives the tree.
    ("orphans", "a supervisor that dies leaves its children", "actor",
     "actor/supervisor_actor.cpp", "    if (life->child) life->child->supervisor_lost();\n",
     "    static_cast<void>(life);\n"),
    ("orphans", "a subtree lives on without its parent", "actor", "actor/subtree_child.cpp",
     "    caf::anon_send<caf::message_priority::high>(\n"
     "        handle_, caf::exit_msg{handle_.address(), caf::exit_reason::kill});\n", ""),
    ("orphans", "a child is not watched", "actor", "actor/supervisor_actor.cpp",
     "    if (const auto id = child->watched()) watched_[id] = {x.child, x.generation};\n", ""),
    ("orphans", "an actor is not killed", "end", "actor/actor_child.cpp",
     "  void abort(const effect::AbortChild&) override {\n    attempt_->request_stop();\n"
     "    end(caf::exit_reason::kill);\n  }",
     "  void abort(const effect::AbortChild&) override { attempt_->request_stop(); }"),
    ("orphans", "a process is not killed", "process", "actor/process_child.cpp",
     "void abort(const effect::AbortChild&) override { host_.abort(token_); }",
     "void abort(const effect::AbortChild&) override { host_.stop(token_); }"),
    ("orphans", "a process outlives the supervisor that died", "lost",
     "actor/process_child.cpp",
     "void supervisor_lost() noexcept override { host_.abort(token_); }",
     "void supervisor_lost() noexcept override {}"),
    ("orphans", "the end of the tree does not wait for its actors", "end", "actor/census.cpp",
     "return actors_ == 0 && runs_.size() == abandoned_;", "return runs_.size() == abandoned_;"),
    ("orphans", "the end of the tree does not wait for its threads", "actor", "actor/census.cpp",
     "return actors_ == 0 && runs_.size() == abandoned_;", "return actors_ == 0;"),
    ("orphans", "an actor that is stuck is not reported", "end", "runtime/reconcile.cpp",
     "if (const auto left = census.actors(); left > 0) {",
     "if (const auto left = census.actors(); left > 1000000) {"),
    ("orphans", "a thread that is stuck is not reported", "end", "runtime/reconcile.cpp",
     "    check.found.push_back(thread.path + \" (running for \" + human(thread.age) + \")\");\n",
     "    static_cast<void>(thread);\n"),
    ("orphans", "processes that are left are not looked for", "process", "runtime/reconcile.cpp",
     "host.end_leftovers()", "std::vector<LeftoverProcess>{}"),
    ("orphans", "an aborted child is told as one that had ended", "actor",
     "actor/supervisor_actor.cpp",
     "lives_[i].child ? ChildShutdownOutcome::aborted",
     "lives_[i].child ? ChildShutdownOutcome::already_exited"),
    # A stop gets through.
    ("stop", "a stop waits behind all that an actor has to do", "end", "actor/actor_child.cpp",
     "caf::anon_send<caf::message_priority::high>(handle_,", "caf::anon_send(handle_,"),
    ("stop", "a start of thousands keeps a stop waiting", "actor", "actor/supervisor_actor.cpp",
     "        ++starts > starts_per_turn) {", "        ++starts > 1000000) {"),
    ("stop", "a cancellation is tried once", "async", "actor/async_child.cpp",
     "    if (ended_) return;\n    again_.expires_after", "    return;\n    again_.expires_after"),
    ("stop", "a coroutine that swallows its cancellation keeps its thread", "async",
     "actor/async_child.cpp",
     "    co_await asio::this_coro::throw_if_cancelled(false);\n", ""),
    ("stop", "a nested wish for the end is forgotten", "actor", "actor/supervisor_actor.cpp",
     "  if (root) root->line->send(", "  if (false) root->line->send("),
    # Places of admission.
    ("admission", "a supervisor that dies keeps its places", "actor",
     "actor/supervisor_actor.cpp",
     "  if (with_.services->admission) with_.services->admission->drop(with_.line, now_);\n", ""),
    ("admission", "a place is not given back", "actor", "actor/supervisor_actor.cpp",
     "  if (with_.services->admission) with_.services->admission->end(with_.line, x, now_);",
     "  static_cast<void>(x);"),
    ("admission", "a place that is free is given to nobody", "actor", "actor/admission_desk.cpp",
     "  ids_.erase(found);\n  admit(now);", "  ids_.erase(found);\n  static_cast<void>(now);"),
    ("admission", "nobody looks when the next may go", "actor", "actor/supervisor_actor.cpp",
     "    if (due && (!next || *due < *next)) next = due;\n", ""),
    # Who looks on.
    ("watchers", "a subscriber may keep any number of events", "hub", "runtime/event_hub.cpp",
     "if (events_.size() >= capacity_) {", NEVER),
    ("watchers", "what a subscriber lost is not counted", "hub", "runtime/event_hub.cpp",
     "    ++dropped_;\n", ""),
    ("watchers", "a subscriber waits on when the tree has ended", "hub", "runtime/event_hub.cpp",
     "    if (const auto queue = weak.lock()) queue->close();", "    static_cast<void>(weak);"),
    ("watchers", "an observer that throws ends a supervisor", "actor", "actor/tree_services.cpp",
     "} catch (...) {  // Who observes", HARMLESS + "  // Who observes"),
    ("watchers", "an answer that throws ends a supervisor", "actor", "actor/command_desk.cpp",
     "} catch (...) {  // Who asks", HARMLESS + "  // Who asks"),
    ("watchers", "output that nobody can take ends what runs", "process",
     "actor/process_child.cpp", "} catch (...) {  // As for event sinks",
     HARMLESS + "  // As for event sinks"),
    ("watchers", "a dead supervisor shows living children", "actor", "actor/state_board.cpp",
     "    if (seems_alive(row.view.phase)) row.view.phase = ChildPhase::stopped;\n", ""),
    ("watchers", "the end of an old supervisor hides the new one", "actor",
     "actor/tree_directory.cpp", " && found->second.board.get() == board) found", ") found"),
    # Commands.
    ("commands", "who asked a supervisor that died waits for ever", "actor",
     "actor/public_face.cpp", "  entry_.desk->close(why);\n", "  static_cast<void>(why);\n"),
    ("commands", "what comes after the end is not answered", "commands",
     "actor/command_desk.cpp", "    closed_ = why;\n    left.swap", "    left.swap"),
    ("commands", "nobody has to say who he is", "actor", "actor/supervisor_actor.cpp",
     "    if (meta_problem(command.kind, command.meta)) return refuse_blank(*order);\n", ""),
    # Faults of what is supervised.
    ("faults", "a factory that throws ends the supervisor", "actor",
     "actor/supervisor_actor.cpp", "  } catch (...) {\n    auto exit = exit_record_of(std",
     "  " + HARMLESS + "\n    auto exit = exit_record_of(std"),
    ("faults", "a panic is told as a good end", "actor", "actor/actor_child.cpp",
     "exit.kind == ExitKind::panicked ? 1 :", "exit.kind == ExitKind::panicked ? 0 :"),
]
