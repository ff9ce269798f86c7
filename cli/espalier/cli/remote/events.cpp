#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/follow.hpp"
#include "espalier/cli/remote/interrupt.hpp"
#include "espalier/cli/remote/lines.hpp"
#include "espalier/cli/remote/session.hpp"
#include "espalier/cli/text_cells.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace espalier::cli {
namespace {

using ipc::Json;

constexpr auto slice = std::chrono::milliseconds{200};
constexpr std::uint64_t page_size = 1000;
constexpr std::uint64_t default_events = 20;

std::optional<supervisor::Severity> severity_of(const std::string& word) {
  using supervisor::Severity;
  for (const Severity x : {Severity::debug, Severity::info, Severity::warning, Severity::error}) {
    if (word == to_string(x)) return x;
  }
  return {};
}

ipc::WireEventFilter filter_of(const RemoteOptions& options) {
  ipc::WireEventFilter filter;
  if (!options.paths.empty()) filter.path = options.path();
  if (!options.types.empty()) filter.types = options.types;
  filter.min_severity = severity_of(options.severity);
  return filter;
}

// Prints events and gaps, one a line, each at once.
class Printer {
 public:
  Printer(const RemoteOptions& options, const Terminal& terminal)
      : json_(options.output != "text"), terminal_(terminal) {}

  void event(const Json& event) { line(json_ ? safe_json(event) : event_line(event, terminal_)); }
  void gap(const Json& gap) { line(json_ ? safe_json(gap) : gap_line(gap, "event", terminal_)); }
  void note(const std::string& text) const {
    terminal_.err << "espalier: " << escape_controls(text) << "\n" << std::flush;
  }
  [[nodiscard]] bool is_closed() const { return !terminal_.out.good() || is_output_closed(); }

 private:
  void line(const std::string& text) const { terminal_.out << text << "\n" << std::flush; }

  bool json_;
  const Terminal& terminal_;
};

// What is kept after `since`, page by page; as one object for -o json.
int print_since(Session& session, ipc::EventsQueryParams params, const RemoteOptions& options,
                Printer& printer, const Terminal& terminal) {
  const bool whole = options.output == "json";
  Json all = Json::array();
  bool complete = true;
  while (true) {
    const auto page = session.ask<ipc::EventsPage>("events.query", params);
    if (!page) return fail(terminal, page.error().code, page.error().message);
    if (!page->value.complete) {
      complete = false;
      if (!whole) printer.gap({{"type", "gap"}, {"count", 0}, {"reason", "not_kept"}});
    }
    for (const ipc::RawJson& event : page->value.events) {
      auto json = ipc::parse_json(event.text);
      if (!json) continue;
      if (whole) {
        all.push_back(std::move(*json));
      } else {
        printer.event(*json);
      }
    }
    if (!page->value.next || page->value.events.empty() || printer.is_closed()) break;
    params.after = page->value.next;
  }
  if (whole) terminal.out << safe_json_pretty({{"events", all}, {"complete", complete}}) << "\n";
  return exit_done;
}

int print_kept(const RemoteOptions& options, const Terminal& terminal) {
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error().code, session.error().message);
  Printer printer(options, terminal);
  ipc::EventsQueryParams params;
  params.filter = filter_of(options);
  if (options.since) {
    params.after = ipc::Cursor{session->hello().epoch, *options.since};
    params.limit = page_size;
    return print_since(*session, params, options, printer, terminal);
  }
  params.limit = std::clamp<std::uint64_t>(options.lines.value_or(default_events), 1, page_size);
  const auto page = session->ask<ipc::EventsPage>("events.query", params);
  if (!page) return fail(terminal, page.error().code, page.error().message);
  if (options.output == "json") {
    terminal.out << safe_json_pretty(page->json) << "\n";
    return exit_done;
  }
  for (const ipc::RawJson& event : page->value.events) {
    if (const auto json = ipc::parse_json(event.text)) printer.event(*json);
  }
  return exit_done;
}

int follow(ipc::EventStream& stream, Printer& printer, const Terminal& terminal) {
  const Interrupt interrupt;
  using Kind = ipc::EventStream::Item::Kind;
  while (!interrupt.was_pressed()) {
    if (printer.is_closed()) return exit_done;
    auto item = stream.next(slice);
    if (!item) {
      const Failure failure = failure_of(item.error());
      return fail(terminal, failure.code, failure.message);
    }
    if (!*item) continue;
    switch ((*item)->kind) {
      case Kind::event:
        printer.event((*item)->body);
        break;
      case Kind::gap:
        printer.gap((*item)->body);
        break;
      case Kind::connected:
        break;
      case Kind::lost:
        printer.note((*item)->message + "; trying again, Ctrl-C ends it");
        break;
      case Kind::ended:
        printer.note("the tree has ended: " + (*item)->message);
        return exit_done;
    }
  }
  return exit_interrupted;
}

}  // namespace

int events_verb(const RemoteOptions& options, const Terminal& terminal) {
  if (!options.follow) return print_kept(options, terminal);
  // The first connection tells at once what is wrong; the stream would try for ever.
  ipc::EventStream::Options stream_options;
  {
    const auto session = Session::open(options);
    if (!session) return fail(terminal, session.error().code, session.error().message);
    stream_options.client = session->client_options();
    if (options.since) stream_options.from = ipc::Cursor{session->hello().epoch, *options.since};
  }
  stream_options.filter = filter_of(options);
  stream_options.replay = options.lines.value_or(0);
  ipc::EventStream stream(std::move(stream_options));
  Printer printer(options, terminal);
  return follow(stream, printer, terminal);
}

}  // namespace espalier::cli
