#pragma once

#include "espalier/ipc/client/client.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/time.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace espalier::ipc::internal {

/// No longer answer is believed: 64 MiB hold a snapshot of some 50,000 nodes.
inline constexpr std::size_t max_answer_bytes = 64UL << 20U;

/// A Unix socket that carries lines both ways. Never blocks longer than it is told, never raises
/// SIGPIPE: whoever writes much while the peer writes much reads meanwhile.
class LineSocket {
 public:
  [[nodiscard]] static expected<LineSocket, ClientError> connect(const std::string& path,
                                                                 supervisor::TimePoint deadline);
  /// `line` has its newline. It is written by the next calls of `read`.
  void send(const std::string& line) { out_ += line; }
  /// The next line without its newline; empty: none came in time. What came before the peer closed
  /// is still given out. After an error every call is an error.
  [[nodiscard]] expected<std::optional<std::string>, ClientError> read(
      supervisor::TimePoint deadline);
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  LineSocket(supervisor::UniqueFd fd, std::string path)
      : fd_(std::move(fd)), path_(std::move(path)) {}
  [[nodiscard]] std::optional<std::string> cut();
  [[nodiscard]] ClientError why_ended() const;
  void write_some();
  void read_some();

  supervisor::UniqueFd fd_;
  std::string path_;
  std::string out_ = {};
  std::string in_ = {};
  std::size_t given_ = 0;    ///< Up to here `in_` was given out.
  std::size_t scanned_ = 0;  ///< Up to here it holds no newline.
  bool ended_ = false;
  bool too_long_ = false;
};

/// `limit` from now, and no further than a year.
[[nodiscard]] supervisor::TimePoint deadline_after(supervisor::Duration limit);
/// For poll(2): rounded up, at least 0, at most a minute.
[[nodiscard]] int poll_ms(supervisor::TimePoint deadline);

}  // namespace espalier::ipc::internal
