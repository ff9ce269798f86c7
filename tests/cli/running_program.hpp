#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace espalier::cli {

/// A folder of its own that goes with the test.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  /// Writes a file and gives its path.
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string folder_;
};

/// The built program, running, with what it writes in files. Killed if it still runs at the end.
class RunningProgram {
 public:
  /// `input`: file it reads as standard input; empty: that of the test.
  RunningProgram(const TempFolder& folder, const std::vector<std::string>& arguments,
                 const std::map<std::string, std::string>& environment = {},
                 const std::string& input = {});
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  void signal(int number) const;
  /// The exit code, 128 + signal when it was killed, or -1 when it still runs after `limit`.
  int wait(std::chrono::milliseconds limit = std::chrono::seconds{20});
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  /// Waits until standard error contains `text`.
  [[nodiscard]] bool wait_for_err(const std::string& text) const;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  std::string out_path_;
  std::string err_path_;
  pid_t pid_ = -1;
  std::optional<int> code_;
};

[[nodiscard]] std::string read_file(const std::string& path);
/// Asks `condition` again and again until it holds, for ten seconds at most.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition);
/// True while a process of that id exists and is no zombie.
[[nodiscard]] bool is_alive(pid_t pid);
void short_pause();

template <class Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    short_pause();
  }
  return true;
}

}  // namespace espalier::cli
