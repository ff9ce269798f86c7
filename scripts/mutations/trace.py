"""Breaks what spans promise: they belong together as what they tell of does, none is lost untold, and
nobody waits for a disk or a collector."""

BASE = "libsupervisor/espalier/supervisor/trace"
TESTS = {
    "spans": ["supervisor_trace_test"],
    "outlets": ["supervisor_trace_test_real"],
    "settings": ["supervisor_config_test CollectorAddress*"],
}

NEVER = "if (false) {"

# group, name, tests, file, text, replacement.
MUTATIONS = [
    ("trace", "an incident is many traces", "spans", "span_builder.cpp",
     "trace_id_of(event.epoch, correlation_of(event));\n  span.id",
     "trace_id_of(event.epoch, event.sequence);\n  span.id"),
    ("trace", "no span is below another", "spans", "span_builder.cpp", "span.parent = trail->owner;",
     "span.parent = 0;"),
    ("trace", "what passes on a cause loses it", "spans", "span_builder.cpp",
     "auto owner = trail != nullptr ? trail->owner : 0;", "auto owner = trail != nullptr ? 0UL : 0UL;"),
    ("trace", "a decision does not know of whom it is", "spans", "span_builder.cpp",
     "    span.link = exit->link;\n", ""),
    ("trace", "a cause of long ago is taken for another", "spans", "span_builder.cpp",
     "trail.sequence == sequence ? &trail : nullptr", "true ? &trail : nullptr"),
    ("trace", "a failure looks like success", "spans", "span_builder.cpp",
     "  span.error = error;\n", ""),
    ("trace", "a wanted end looks like a failure", "spans", "span_builder.cpp",
     "  if (!exit.is_failure()) return {};\n", ""),
    ("trace", "what is open at the end is not told", "spans", "span_builder.cpp",
     "    cut_off(life.attempt);\n", ""),
    ("trace", "moments without end", "spans", "span_builder.cpp",
     "if (attempt.moments.size() < most_moments) {", "if (true) {"),
    ("form", "numbers of 64 bits as numbers", "spans", "otlp_json.cpp",
     "  json.text(key, std::to_string(since_1970.count()));", "  json.number(key, since_1970.count());"),
    ("form", "texts of any length", "spans", "otlp_json.cpp",
     "status.text(\"message\", std::string_view{*span.error}.substr(0, longest_text));",
     "status.text(\"message\", *span.error);"),
    ("lost", "any number of spans waits", "outlets", "span_outlet.cpp",
     "if (waiting_.size() >= options_.capacity) {", NEVER),
    ("lost", "what is lost is not counted", "outlets", "span_outlet.cpp",
     "      ++counts_.lost;\n", ""),
    ("lost", "what cannot be brought now is lost", "outlets", "span_outlet.cpp",
     "if (outcome.kind == Outcome::Kind::later && !over) return", "if (outcome.kind == Outcome::Kind::later && over) return"),
    ("lost", "a collector that has no time is given up", "outlets", "collector.cpp",
     "passes ? Kind::later : Kind::never", "passes ? Kind::never : Kind::never"),
    ("lost", "what a collector refuses is tried for ever", "outlets", "collector.cpp",
     "passes ? Kind::later : Kind::never", "passes ? Kind::later : Kind::later"),
    ("lost", "nobody hears that spans are not brought", "outlets", "span_outlet.cpp",
     "  if (std::exchange(failing_, true)) return;", "  if (true) return;"),
    ("lost", "nobody hears that they are again", "outlets", "span_outlet.cpp",
     "    if (!std::exchange(failing_, false)) return;", "    if (true) return;"),
    ("file", "the file grows for ever", "outlets", "span_file.cpp",
     "if (size_ == 0 || size_ + bytes <= max_bytes_) return {};", "if (true) return {};"),
    ("file", "a file that was moved away is written on", "outlets", "span_file.cpp",
     " && at_path.st_ino == opened.st_ino", ""),
    ("file", "a full disk leaves half a line", "outlets", "span_file.cpp",
     "if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0)", "if (false)"),
    ("settings", "an address may hold a line break", "settings", "../config/collector_address.cpp",
     "  if (odd) return fail(", "  if (false) return fail("),
    ("settings", "TLS is asked for and not had", "settings", "../config/collector_address.cpp",
     "if (url.starts_with(\"https://\")) {", NEVER),
]
