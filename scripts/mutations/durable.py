"""Breaks what the checkpoints of a pipeline promise: what was accepted is in the file, what has
ended does not come again, and a file that is not ours stays as it is."""

BASE = "libpipeline/espalier/pipeline"
TESTS = {"store": ["pipeline_durable_test_real"],
         "runner": ["pipeline_durable_test_real", "pipeline_run_test_real Progress*"]}

NEVER = "if (false) {"
TELL = """    for (const auto& change : group) {
      if (options_.on_ended && change.kind == CheckpointChange::Kind::end)
        options_.on_ended(change.key, change.outcome);
    }
"""
COMMIT = """      const std::lock_guard lock(file_mutex_);
      file_.commit(group);
"""

# group, name, tests, file, text, replacement.
MUTATIONS = [
    # What was accepted is in the file.
    ("safe", "no_fsync: nothing is synced", "store", "durable/checkpoint_file.cpp",
     "PRAGMA synchronous = FULL;", "PRAGMA synchronous = OFF;"),
    ("safe", "a commit is not synced, only now and then", "store", "durable/checkpoint_file.cpp",
     "PRAGMA synchronous = FULL;", "PRAGMA synchronous = NORMAL;"),
    ("safe", "ack_before_commit: items are taken before they are in the file", "store",
     "durable/checkpoint_store.cpp",
     "    wait_for_commit(lock);\n    if (!problem_.empty()) throw",
     "    if (!problem_.empty()) throw"),
    ("safe", "the commit in the making counts for what came later", "store",
     "durable/checkpoint_store.cpp",
     "commits_ + (committing_ ? 1 : 0) + (changes_.empty() ? 0 : 1);", "commits_ + 1;"),
    ("safe", "a flush does not wait", "store", "durable/checkpoint_store.cpp",
     "    wait_for_commit(lock);\n    return problem_.empty();", "    return problem_.empty();"),
    ("safe", "the end does not write what is left", "store", "durable/checkpoint_store.cpp",
     "      if (changes_.empty()) return;\n", "      if (end_) return;\n"),
    ("safe", "a file that cannot be written is no problem", "store",
     "durable/checkpoint_store.cpp", "      if (!problem.empty()) problem_ = problem;\n", ""),
    ("safe", "a source hears of an end before it is safe", "store",
     "durable/checkpoint_store.cpp", COMMIT, TELL + COMMIT + "      return {};\n"),
    # What comes again, and what does not.
    ("again", "a key that has ended is taken again", "store", "durable/checkpoint_store.cpp",
     "    refuse_ended(items);\n", ""),
    ("again", "a resumed item gets a second row", "store", "durable/checkpoint_store.cpp",
     "const bool resumed = !key.empty() && known != open_.end();", "const bool resumed = false;"),
    ("again", "row numbers begin again", "store", "durable/checkpoint_store.cpp",
     "next_row_ = file_.highest_row() + 1;", "next_row_ = 1;"),
    ("again", "what was cancelled has ended", "store", "durable/checkpoint_store.cpp",
     "    if (outcome == Outcome::cancelled && !refused) return forget(item.seq);\n", ""),
    ("again", "what was refused is resumed", "store", "durable/checkpoint_store.cpp",
     "    if (refused) end.kind = CheckpointChange::Kind::remove;\n", ""),
    ("again", "a stage that is done is done again", "store", "durable/checkpoint_store.cpp",
     "    if (!whole_[node]) return;\n", "    if (whole_.size() > node) return;\n"),
    ("again", "an item moves behind the batch it is in", "store", "durable/checkpoint_store.cpp",
     "    if (!whole_[node]) return;\n", ""),
    ("again", "an item moves without its value", "store", "durable/checkpoint_file.cpp",
     "SET stage = ?2, value = ?3,", "SET stage = ?2,"),
    ("again", "items are resumed in another order", "store", "durable/checkpoint_file.cpp",
     " WHERE state = ?1 ORDER BY id\"", " WHERE state = ?1 ORDER BY id DESC\""),
    ("again", "items of a stage that is gone are forgotten", "store",
     "durable/checkpoint_store.cpp",
     "if (std::find(stages_.begin(), stages_.end(), row.stage) == stages_.end()) {", NEVER),
    ("again", "pruning forgets what has not ended", "store", "durable/checkpoint_file.cpp",
     "(state IN ('succeeded', 'skipped')", "(state IN ('open', 'succeeded', 'skipped')"),
    ("again", "pruning forgets dead letters unasked", "store", "durable/checkpoint_file.cpp",
     "OR (?2 AND state = 'failed'))", "OR (?2 < 9 AND state = 'failed'))"),
    ("again", "a dead letter loses its value", "store", "durable/checkpoint_file.cpp",
     "THEN ifnull(?4, value) END", "THEN ?4 END"),
    ("again", "a replay takes what has not failed", "store", "durable/checkpoint_file.cpp",
     " WHERE state = 'failed' AND (?1 = ''", " WHERE (?1 = ''"),
    # What the pipeline does with it.
    ("runner", "items are taken though the file refused them", "runner",
     "run/internal/crew_calls.cpp", "  if (error) std::rethrow_exception(error);\n", ""),
    ("runner", "the file keeps what found no room", "runner", "run/internal/crew_calls.cpp",
     "  tell_refused(*refused, first + (count - refused->items.size()));\n", ""),
    ("runner", "two feeders give the same numbers", "runner", "run/internal/crew_calls.cpp",
     "  if (accepting_) wait_until(lock, [this] { return !accepting_; }, {});\n", ""),
    # Whose file it is.
    ("place", "another program's database is used", "store", "durable/checkpoint_file.cpp",
     "if (application != CheckpointFile::application && (application != 0 || has_tables))",
     "if (false)"),
    ("place", "a file of a newer release is used", "store", "durable/checkpoint_file.cpp",
     "if (version > CheckpointFile::version) {", NEVER),
    ("place", "a damaged file is used", "store", "durable/checkpoint_file.cpp",
     "if (health != \"ok\") {", NEVER),
    ("place", "two programs use one file", "store", "durable/checkpoint_file.cpp",
     "if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {", NEVER),
]
