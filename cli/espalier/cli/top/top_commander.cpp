#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/steer.hpp"
#include "espalier/cli/top/top_feed.hpp"

#include <chrono>
#include <ostream>
#include <utility>

namespace espalier::cli {
namespace {

// Longer than the target tries, so that its own word on a time-out reaches us.
constexpr auto answer_limit = std::chrono::seconds{15};

std::string sentence_of(const TopCommand& command, const ipc::CommandAnswer& answer) {
  std::ostream none(nullptr);
  const Terminal terminal{.out = none, .err = none};
  std::string text =
      render_answer(command.params.path.value_or(command.method), false, answer, terminal);
  const std::size_t end = text.find('\n');  // The steps of a plan have no room here.
  if (end != std::string::npos) text.resize(end);
  return text;
}

}  // namespace

TopCommander::TopCommander(RemoteOptions options, TopInbox& inbox)
    : options_(std::move(options)), inbox_(inbox) {
  thread_ = std::thread([this] { run(); });
}

TopCommander::~TopCommander() {
  line_.cut();
  {
    const std::lock_guard lock(mutex_);
    more_.notify_all();
  }
  thread_.join();
}

void TopCommander::send(TopCommand command) {
  const std::lock_guard lock(mutex_);
  commands_.push_back(std::move(command));
  more_.notify_all();
}

void TopCommander::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    more_.wait(lock, [this] { return line_.is_cut() || !commands_.empty(); });
    if (line_.is_cut()) return;
    const TopCommand command = std::move(commands_.front());
    commands_.pop_front();
    lock.unlock();
    inbox_.post(carry_out(command));
    lock.lock();
  }
}

TopNote TopCommander::carry_out(const TopCommand& command) {
  auto session = Session::open(options_, "3s");
  if (!session) return {command.words + ": " + session.error().message, true, true};
  if (!line_.hold(*session)) return {"", false, true};
  const auto reply =
      session->ask<ipc::CommandAnswer>("command." + command.method, command.params, answer_limit);
  line_.release();
  if (!reply) return {command.words + ": " + reply.error().message, true, true};
  return {sentence_of(command, reply->value), exit_code_of(reply->value) != exit_done, true};
}

}  // namespace espalier::cli
