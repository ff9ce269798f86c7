#pragma once

#include "espalier/cli/remote/session.hpp"
#include "espalier/cli/top/top_model.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace espalier::cli {

/// What the threads of the dashboard have for its model. Any thread may post; `fd` is readable
/// while something waits.
class TopInbox {
 public:
  TopInbox();
  void post(TopInput input);
  [[nodiscard]] std::vector<TopInput> take();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  std::mutex mutex_;
  std::vector<TopInput> inputs_;
  supervisor::UniqueFd fd_;
};

/// The connection that a thread waits on; closing it from another thread ends the wait.
class TopLine {
 public:
  /// False: it is to end, and the session must not be used.
  [[nodiscard]] bool hold(Session& session);
  void release();
  void cut();
  [[nodiscard]] bool is_cut() const;

 private:
  mutable std::mutex mutex_;
  int fd_ = -1;
  bool cut_ = false;
};

/// Follows the target on a thread of its own: what is wanted and no more, over broken connections
/// and restarts of the target. So a target that hangs never makes the keyboard wait.
class TopFeed {
 public:
  TopFeed(RemoteOptions options, Session session, TopInbox& inbox);
  ~TopFeed();
  TopFeed(const TopFeed&) = delete;
  TopFeed& operator=(const TopFeed&) = delete;

  void follow(TopWanted wanted);
  void ask_why(std::string path);

 private:
  struct Orders {
    TopWanted wanted = {};
    std::vector<std::string> why = {};
  };
  struct Subscription {
    std::string id = {};
    bool is_open = false;
  };
  void run(std::optional<Session> session);
  [[nodiscard]] std::string serve(Session& session);
  [[nodiscard]] std::optional<Failure> obey(Session& session);
  [[nodiscard]] std::optional<Failure> adjust(Session& session, const TopWanted& wanted);
  [[nodiscard]] std::optional<Failure> follow_state(Session& session, bool resources);
  [[nodiscard]] std::optional<Failure> follow_events(Session& session);
  [[nodiscard]] std::optional<Failure> follow_logs(Session& session, const std::string& path);
  [[nodiscard]] std::optional<Failure> close(Session& session, Subscription& subscription);
  [[nodiscard]] std::optional<Failure> tell_why(Session& session, const std::string& path);
  [[nodiscard]] std::optional<Failure> look_at_pipeline(Session& session);
  void deliver(const ipc::Push& push);
  [[nodiscard]] std::optional<std::string> drain(Session& session);
  [[nodiscard]] std::optional<std::string> wait(Session& session);
  void pause(std::chrono::milliseconds time);
  void wake() const;

  RemoteOptions options_;
  TopInbox& inbox_;
  TopLine line_;
  supervisor::UniqueFd wake_;
  std::mutex mutex_;
  Orders orders_;

  // Of the thread.
  std::optional<TopWanted> present_;
  Subscription state_;
  Subscription events_;
  Subscription logs_;
  std::string logs_path_;
  std::optional<ipc::Cursor> cursor_;
  std::chrono::steady_clock::time_point next_look_;
  bool ended_ = false;
  std::thread thread_;
};

/// Carries out commands, one after the other, on a thread and a connection of its own.
class TopCommander {
 public:
  TopCommander(RemoteOptions options, TopInbox& inbox);
  ~TopCommander();
  TopCommander(const TopCommander&) = delete;
  TopCommander& operator=(const TopCommander&) = delete;
  void send(TopCommand command);

 private:
  void run();
  [[nodiscard]] TopNote carry_out(const TopCommand& command);

  RemoteOptions options_;
  TopInbox& inbox_;
  TopLine line_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<TopCommand> commands_;
  std::thread thread_;
};

}  // namespace espalier::cli
