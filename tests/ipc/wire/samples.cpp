// Prints what the schemas are held against: `samples transcript`, `samples events`, `samples
// audit`.

#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/envelope.hpp"
#include "espalier/ipc/wire/internal/all_messages.hpp"
#include "espalier/ipc/wire/methods.hpp"
#include "espalier/supervisor/observe/event_json.hpp"
#include "ipc/wire/filled.hpp"
#include "libsupervisor/observe/one_of_each.hpp"

#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;

template <Message T>
std::string text_of(const T& message) {
  std::string out;
  encode(out, message);
  return out;
}

// Every message by its name, once with all there can be in it and once with no more than must be.
std::map<std::string_view, std::string> messages(bool full) {
  std::map<std::string_view, std::string> all;
  internal::for_each_message(
      [&]<Message T>(const char* name) { all[name] = text_of(full ? filled<T>() : T{}); });
  if (full) all["audit_page"] = text_of(AuditPage{{{text_of(filled<AuditRecord>())}}});
  return all;
}

void print_methods(std::span<const MethodInfo> methods, bool full) {
  const auto all = messages(full);
  for (const auto& method : methods) {
    const auto id = std::string(method.name) + (full ? " full" : " bare");
    std::cout << "> " << request_line(id, method.name, all.at(method.params)) << '\n'
              << "< " << ok_line("\"" + id + "\"", all.at(method.result)) << '\n';
  }
}

void print_pushes() {
  internal::for_each_message([]<Message T>(const char*) {
    if constexpr (requires(T x) { x.type; }) {
      std::cout << "< " << text_of(filled<T>()) << '\n';
    }
  });
}

void print_errors() {
  for (std::size_t i = 0; i < WireWords<ErrorCode>::count; ++i) {
    const WireError error{static_cast<ErrorCode>(i), Stage::parsing, "\xff\n\x1b[0m", true, i};
    std::cout << "< " << error_line(i % 2 == 0 ? "null" : "7", error, i % 3 == 0 ? "" : "shop")
              << '\n';
  }
  for (std::size_t i = 0; i < WireWords<Stage>::count; ++i) {
    const WireError error{ErrorCode::internal, static_cast<Stage>(i), "it is so"};
    std::cout << "< " << error_line("null", error, "shop") << '\n';
  }
}

sv::ExitRecord an_exit() {
  sv::ExitRecord exit;
  exit.kind = sv::ExitKind::signalled;
  exit.category = sv::FailureCategory::recoverable;
  exit.code = 1;
  exit.signal = 9;
  exit.core_dumped = true;
  exit.message = "no space";
  exit.trace = std::make_shared<const std::vector<std::string>>(1, "frame");
  return exit;
}

// Events that carry what can be absent.
std::vector<sv::EventBody> full_events() {
  namespace events = sv::events;
  auto decision = std::make_shared<sv::RestartDecision>();
  decision->verdict = sv::Verdict::restart_after;
  decision->checks = {{.rule = sv::Rule::child_budget, .window = 60s, .tokens = 2}};
  auto report = std::make_shared<sv::ShutdownReport>();
  report->children = {{.path = "/a", .generation = 1, .exit = an_exit()}, {.path = "/b"}};
  report->reconcile.checks = {{.what = "threads", .found = {"/a"}, .note = "left"}};
  auto summary = std::make_shared<sv::RunSummary>();
  summary->recent_failures = {"/a: exit code 1"};
  return {events::ChildRunning{7},
          events::ChildExited{an_exit(), 3s},
          events::ChildUnhealthy{"watchdog", "silent"},
          events::RestartDecided{decision, {"/a"}, 1},
          events::ShutdownCompleted{report},
          events::CommandDone{"restart_child", "me", "a test", "done", "it is", "/a"},
          events::RunSummarized{summary}};
}

void print_events() {
  auto bodies = sv::one_of_each();
  for (auto& body : full_events())
    bodies.push_back(std::move(body));
  for (const auto& body : bodies) {
    for (const std::uint64_t n : {0U, 3U}) {
      sv::Event event;
      event.sequence = n;
      event.epoch = 1763;
      event.path = "/db";
      event.generation = n;
      event.attempt = n;
      event.cause = {.caused_by = n, .correlation = n};
      event.body = body;
      std::string line;
      sv::append_json(line, event);
      std::cout << line << '\n';
    }
  }
}

}  // namespace
}  // namespace espalier::ipc

int main(int argc, char** argv) {
  using namespace espalier::ipc;
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "transcript") {
    for (const bool full : {true, false}) {
      print_methods(methods(), full);
      print_methods(relay_methods(), full);
    }
    print_pushes();
    print_errors();
  } else if (what == "events") {
    print_events();
  } else if (what == "audit") {
    std::cout << text_of(filled<AuditRecord>()) << '\n' << text_of(AuditRecord{}) << '\n';
  } else {
    std::cerr << "samples transcript|events|audit\n";
    return 2;
  }
}
