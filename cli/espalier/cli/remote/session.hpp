#pragma once

#include "espalier/cli/remote/terminal.hpp"
#include "espalier/ipc/client/client.hpp"
#include "espalier/supervisor/core/expected.hpp"

#include <optional>
#include <string>
#include <vector>

namespace espalier::cli {

/// Why a verb ends early: its exit status and the sentence for the person.
struct Failure {
  int code = 1;
  std::string message = {};
  std::optional<std::uint64_t> retry_after_ms = {};  ///< The target was asked too often.
};

/// The exit status that belongs to what went wrong (users see the table in command-line.md).
[[nodiscard]] int exit_code_of(ipc::ErrorCode code);
[[nodiscard]] int exit_code_of(const ipc::ClientError& error);
[[nodiscard]] Failure failure_of(const ipc::ClientError& error);
/// Of a command: 0 where it is done or goes on as asked, 124 where it was not done in time.
[[nodiscard]] int exit_code_of(const ipc::CommandAnswer& answer);

/// `text` as a time-out; the failure says which option holds nonsense.
[[nodiscard]] expected<supervisor::Duration, Failure> timeout_of(const RemoteOptions& options,
                                                                 const std::string& fallback);
/// Path of the socket: --socket, --target, ESPALIER_SOCKET, or the only target there is.
[[nodiscard]] expected<std::string, Failure> socket_of(const RemoteOptions& options);

/// A result as it came, and as a value.
template <class T>
struct Reply {
  ipc::Json json = {};
  T value = {};
};

/// The connection of one verb to its target.
class Session {
 public:
  [[nodiscard]] static expected<Session, Failure> open(const RemoteOptions& options,
                                                       const std::string& timeout = "10s");

  [[nodiscard]] const ipc::HelloResult& hello() const { return client_.hello(); }
  [[nodiscard]] const std::string& socket() const { return options_.path; }
  [[nodiscard]] const ipc::ClientOptions& client_options() const { return options_; }
  [[nodiscard]] ipc::Client& client() { return client_; }

  /// One request. `limit`: how long to wait where that is not --timeout.
  template <ipc::Message Result, ipc::Message Params>
  [[nodiscard]] expected<Reply<Result>, Failure> ask(
      const std::string& method, const Params& params,
      std::optional<supervisor::Duration> limit = {});

  /// The tree at `path` and below.
  [[nodiscard]] expected<Reply<ipc::StateResult>, Failure> state(
      const std::string& path = "/", std::optional<std::uint64_t> depth = {},
      bool resources = false);

 private:
  Session(ipc::Client client, ipc::ClientOptions options)
      : client_(std::move(client)), options_(std::move(options)) {}

  ipc::Client client_;
  ipc::ClientOptions options_;
};

template <ipc::Message Params>
[[nodiscard]] ipc::Json json_of(const Params& params) {
  std::string text;
  ipc::encode(text, params);
  return *ipc::parse_json(text);
}

template <ipc::Message Result, ipc::Message Params>
expected<Reply<Result>, Failure> Session::ask(const std::string& method, const Params& params,
                                              std::optional<supervisor::Duration> limit) {
  auto answer = client_.request(method, json_of(params), limit);
  if (!answer) return unexpected<Failure>(failure_of(answer.error()));
  auto value = ipc::decode<Result>(*answer, ipc::Unknown::ignore, "result");
  if (!value) {
    return unexpected<Failure>(Failure{1, options_.path + " answers " + method +
                                              " with something else: " + value.error() +
                                              "; is it of another version?"});
  }
  return Reply<Result>{std::move(*answer), std::move(*value)};
}

}  // namespace espalier::cli
