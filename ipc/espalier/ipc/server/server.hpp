#pragma once

#include "espalier/ipc/core/service_figures.hpp"
#include "espalier/ipc/server/log_ring.hpp"
#include "espalier/pipeline/supervised/pipeline_board.hpp"
#include "espalier/supervisor/config/dashboard_spec.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"
#include "espalier/supervisor/runtime/supervisor.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace espalier::ipc {

struct ServerOptions {
  supervisor::DashboardSpec spec = {};
  std::string target_id = {};  ///< Used where spec.target_id is empty.
  std::string version = {};    ///< Of the program, for `hello`.
  /// Lines of output for `logs.tail`; the same that SupervisorOptions::output got. May be null.
  std::shared_ptr<LogRing> logs = {};
  /// The pipelines of the tree, for `pipelines`. May be null: then there are none.
  std::shared_ptr<pipeline::PipelineBoard> pipelines = {};
  /// Turn a stranger's text into specs. Left out: add_child and reload are refused. The error is
  /// for people and names the place. Called on the server's thread.
  std::function<expected<supervisor::ChildSpec, std::string>(const std::string& parent,
                                                             const std::string& text)>
      read_child = {};
  /// Empty text: the file the program was started with, read again.
  std::function<expected<supervisor::SupervisorSpec, std::string>(const std::string& text)>
      read_tree = {};
  supervisor::BackpressureSpec backpressure = {};  ///< Of those who follow events.
  std::shared_ptr<ServiceFigures> figures = {};    ///< For a scrape; null: nothing is counted.
  /// Sentences for the program's log, on a thread of the server's. May be empty.
  std::function<void(supervisor::Severity, const std::string&)> tell = {};
};

/// Why there is no server.
struct ServerError {
  enum class Kind : std::uint8_t {
    in_use,   ///< Another target answers on this path.
    refused,  ///< The path or its folder cannot be trusted, or something else is there.
    failed,   ///< The system said no.
    audit,    ///< The audit file cannot be used.
    given,    ///< What was handed over is no socket that could be used.
  };
  Kind kind = Kind::failed;
  std::string message = {};
};

/// A socket that is bound, with its audit file open, while nobody is answered yet: who connects
/// waits. A program that prepares before it launches its tree never runs children beside those of
/// another target on the same socket. Left unused it removes the socket, if it made it.
class PreparedServer {
 public:
  /// `listener`: a Unix stream socket that listens, bound by the service manager, that is to be
  /// used instead of the one that the options describe; it is never removed, and its permissions
  /// are left as they are. Of the options `path`, `permissions` and `bind_mode` then do not count.
  [[nodiscard]] static expected<PreparedServer, ServerError> prepare(
      ServerOptions options, supervisor::UniqueFd listener = {});
  PreparedServer(PreparedServer&&) noexcept;
  PreparedServer& operator=(PreparedServer&&) noexcept;
  ~PreparedServer();

 private:
  friend class Server;
  struct Parts;
  explicit PreparedServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// The socket of one running tree: newline-delimited JSON for whoever the rules let in; see
/// docs/ipc.md. One thread of its own; nothing is computed while nobody is connected. It holds the
/// handle; when the tree ends, readers are told. The destructor stops listening, closes all
/// connections and removes the socket if it is still ours.
class Server {
 public:
  [[nodiscard]] static expected<std::unique_ptr<Server>, ServerError> start(
      supervisor::SupervisorHandle handle, ServerOptions options);
  [[nodiscard]] static expected<std::unique_ptr<Server>, ServerError> start(
      supervisor::SupervisorHandle handle, PreparedServer prepared);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] const std::string& target_id() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Folder for sockets of this user: $XDG_RUNTIME_DIR/espalier, else /run/espalier for root, else
/// /tmp/espalier-UID. `server` makes it, mode 0700, where it is to be used.
[[nodiscard]] std::string runtime_folder();

}  // namespace espalier::ipc
