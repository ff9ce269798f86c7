#include "espalier/pipeline/declare/internal/command_kernel.hpp"

#include "espalier/pipeline/declare/json_text.hpp"
#include "espalier/supervisor/os/internal/signals_blocked.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace espalier::pipeline::internal {

namespace {

constexpr std::size_t longest_excerpt = 80;

supervisor::LaunchPlan make_plan(const StageSpec& stage) {
  supervisor::LaunchRequest request;
  request.path = stage.name;
  request.spec = std::make_shared<supervisor::ProcessSpec>(stage.process);
  auto plan = supervisor::make_launch_plan(request, supervisor::HostWorld::capture(), {});
  // What belongs to children of a supervisor only.
  std::erase_if(plan.envp, [](const char* variable) {
    if (variable == nullptr) return false;
    const std::string_view text = variable;
    return text.starts_with("NOTIFY_SOCKET=") || text.starts_with("ESPALIER_GENERATION=");
  });
  return plan;
}

std::string excerpt(std::string text) {
  if (text.size() > longest_excerpt) text = text.substr(0, longest_excerpt) + "...";
  return text;
}

std::string with_last_words(std::string message, CommandProcess& process) {
  const auto words = process.take_last_words();
  return words.empty() ? message : message + ": " + words;
}

}  // namespace

std::string command_problem(const StageSpec& stage) {
  return make_plan(stage).problem;
}

CommandKernel::Starter::~Starter() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

CommandKernel::Started CommandKernel::Starter::start(const std::function<Started()>& make) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) {
    const supervisor::internal::SignalsBlocked blocked;
    thread_ = std::thread([this] { run(); });
  }
  changed_.wait(lock, [this] { return !busy_; });
  busy_ = true;
  make_ = &make;
  changed_.notify_all();
  changed_.wait(lock, [this] { return made_.has_value(); });
  auto made = std::move(*made_);
  made_.reset();
  busy_ = false;
  changed_.notify_all();
  return made;
}

void CommandKernel::Starter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return end_ || make_ != nullptr; });
    if (make_ == nullptr) return;
    made_.emplace((*std::exchange(make_, nullptr))());
    changed_.notify_all();
  }
}

CommandKernel::CommandKernel(const StageSpec& stage)
    : JsonKernel(stage),
      spec_(stage.process),
      mode_(stage.mode),
      result_(stage.result),
      kill_after_(stage.kill_after),
      plan_(make_plan(stage)) {
  if (!stage.error_field.empty()) error_field_ = FieldPath::parse(stage.error_field);
}

CommandKernel::~CommandKernel() {
  // All at once, so that they can end beside each other.
  for (const auto& process : idle_)
    process->close_input();
}

void CommandKernel::run_one(Item& item, RunContext& context) {
  if (!plan_.problem.empty()) {
    fail(item, Failure::Kind::thrown, "not started", plan_.problem);
    return;
  }
  const auto input = to_line(json_of(item)) + "\n";
  if (mode_ == CommandMode::lines) {
    run_line(item, input, context.stop_token());
  } else {
    run_alone(item, input, context.stop_token());
  }
}

void CommandKernel::run_alone(Item& item, const std::string& input, const std::stop_token& stop) {
  auto started = CommandProcess::start(plan_, spec_, kill_after_);
  if (!started) {
    fail(item, Failure::Kind::thrown, "not started", started.error());
    return;
  }
  auto& process = **started;
  const auto answer = process.exchange(input, CommandProcess::Until::end, stop);
  if (answer.kind != CommandProcess::Answer::Kind::ended) {
    fail_unended(item, process, answer.kind);
    return;
  }
  const auto& good = spec_.success_exit_codes;
  const auto code = process.exit_code();
  if (!code || std::find(good.begin(), good.end(), *code) == good.end()) {
    fail_ended(item, process);
    return;
  }
  take_answer(item, answer.out);
}

void CommandKernel::run_line(Item& item, const std::string& input, const std::stop_token& stop) {
  auto started = take_process();
  if (!started) {
    fail(item, Failure::Kind::thrown, "not started", started.error());
    return;
  }
  auto process = std::move(*started);
  const auto answer = process->exchange(input, CommandProcess::Until::line, stop);
  switch (answer.kind) {
    case CommandProcess::Answer::Kind::line: {
      static_cast<void>(process->take_last_words());
      {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(process));
      }
      take_answer(item, answer.out);
      return;
    }
    case CommandProcess::Answer::Kind::ended:
      fail_ended(item, *process);
      return;
    default:
      fail_unended(item, *process, answer.kind);
  }
}

CommandKernel::Started CommandKernel::take_process() {
  std::vector<Process> useless;  // Ended outside the lock: that may take a moment.
  {
    const std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
      auto process = std::move(idle_.back());
      idle_.pop_back();
      if (process->is_idle()) return process;
      useless.push_back(std::move(process));
    }
  }
  return starter_.start([this] { return CommandProcess::start(plan_, spec_, kill_after_); });
}

void CommandKernel::take_answer(Item& item, const std::string& text) {
  if (result_ == ResultForm::none) item.verdict = Verdict::skip;
  if (result_ == ResultForm::none || (result_ == ResultForm::input && !error_field_)) return;
  if (result_ == ResultForm::text) {
    const auto end = text.find_last_not_of("\r\n");
    json_of(item) = end == std::string::npos ? std::string() : text.substr(0, end + 1);
    return;
  }
  auto parsed = parse_json(text);
  if (!parsed) {
    fail(item, Failure::Kind::thrown, "no JSON",
         "its output is no result, " + parsed.error() +
             (text.empty() ? "" : "; it begins with " + to_line(excerpt(text))));
    return;
  }
  const auto* error = error_field_ ? error_field_->in(*parsed) : nullptr;
  if (error != nullptr && !error->is_null()) {
    fail(item, Failure::Kind::thrown, "answered with an error",
         error->is_string() ? error->get<std::string>() : to_line(*error));
    return;
  }
  if (result_ == ResultForm::json) json_of(item) = std::move(*parsed);
}

void CommandKernel::fail_ended(Item& item, CommandProcess& process) {
  const auto code = process.exit_code();
  auto message = process.exit_status();
  if (mode_ == CommandMode::lines) message = "ended without an answer, " + message;
  fail(item, Failure::Kind::thrown, code ? exit_type(*code) : "killed",
       with_last_words(std::move(message), process));
}

void CommandKernel::fail_unended(Item& item, CommandProcess& process,
                                 CommandProcess::Answer::Kind kind) {
  switch (kind) {
    case CommandProcess::Answer::Kind::stopped:
      fail(item, Failure::Kind::timed_out, "stopped",
           with_last_words("was stopped before it answered", process));
      return;
    case CommandProcess::Answer::Kind::chatty:
      fail(item, Failure::Kind::thrown, "two answers",
           "answered one line with more than one line; in mode lines each item gets one");
      return;
    default:
      fail(item, Failure::Kind::thrown, "too long",
           "its answer is longer than " + std::to_string(CommandProcess::largest_answer >> 20U) +
               " MiB");
  }
}

}  // namespace espalier::pipeline::internal
