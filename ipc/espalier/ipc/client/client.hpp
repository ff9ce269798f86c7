#pragma once

#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/messages.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc {

struct ClientError {
  enum class Kind : std::uint8_t {
    not_running,    ///< No socket there, or nobody answers on it.
    no_permission,  ///< The socket may not be opened, or the target let us not in.
    closed,         ///< The target closed the connection; `message` has its reason.
    timed_out,
    protocol,  ///< What came was no answer.
    refused,   ///< The target refused the request: see `refusal`.
  };
  Kind kind = Kind::not_running;
  std::string message = {};  ///< For people: what, where, and what to do next.
  std::optional<ErrorBody> refusal = {};
};

struct ClientOptions {
  std::string path = {};
  std::string client = {};  ///< Name of the program, for `hello`.
  supervisor::Duration timeout =
      std::chrono::seconds{10};  ///< Of one request, connecting included.
};

/// A line that the target sent of its own: an event, a gap, a snapshot, a delta, a log line.
struct Push {
  std::string type = {};
  std::string subscription_id = {};
  Json body = {};  ///< The whole line.
};

/// One connection to a target. Blocks on the caller's thread; has none of its own.
///
/// Thread rule: one thread at a time. Moved-from clients may only be destroyed or assigned to.
class Client {
 public:
  [[nodiscard]] static expected<Client, ClientError> connect(ClientOptions options);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  [[nodiscard]] const HelloResult& hello() const;

  /// Sends a request and waits for its answer; pushed lines that come meanwhile are kept for
  /// `next`. `params` is an object.
  [[nodiscard]] expected<Json, ClientError> request(const std::string& method, const Json& params,
                                                    std::optional<supervisor::Duration> limit = {});
  /// The same with types.
  template <Message Result, Message Params>
  [[nodiscard]] expected<Result, ClientError> call(const std::string& method, const Params& params,
                                                   std::optional<supervisor::Duration> limit = {});

  /// The next pushed line; empty: none came in time.
  [[nodiscard]] expected<std::optional<Push>, ClientError> next(supervisor::Duration limit);

  /// To wait on with other descriptors; readable does not mean that a whole line is there.
  [[nodiscard]] int fd() const;

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Events of a target over broken connections and restarts of the target: connects again, with a
/// growing pause, and goes on after the last event that was seen. What is missing is told as a gap.
///
/// Thread rule: one thread at a time.
class EventStream {
 public:
  struct Options {
    ClientOptions client = {};
    WireEventFilter filter = {};
    std::optional<Cursor> from = {};
    std::uint64_t replay = 0;  ///< Events from before, where `from` is not given.
    supervisor::Duration first_pause = std::chrono::milliseconds{100};
    supervisor::Duration longest_pause = std::chrono::seconds{5};
  };
  struct Item {
    enum class Kind : std::uint8_t { event, gap, connected, lost, ended };
    Kind kind = Kind::event;
    Json body = {};            ///< event: the event; gap: the line.
    std::string message = {};  ///< lost: why; the stream tries again. ended: why.
  };
  explicit EventStream(Options options);
  ~EventStream();
  EventStream(EventStream&&) noexcept;
  EventStream& operator=(EventStream&&) noexcept;

  /// Empty: nothing came in time. The error is one that no second try mends (no permission,
  /// protocol).
  [[nodiscard]] expected<std::optional<Item>, ClientError> next(supervisor::Duration limit);
  [[nodiscard]] const Cursor& cursor() const;  ///< After the last event that was given out.

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

template <Message Result, Message Params>
expected<Result, ClientError> Client::call(const std::string& method, const Params& params,
                                           std::optional<supervisor::Duration> limit) {
  std::string text;
  encode(text, params);
  auto json = parse_json(text);
  if (!json) return unexpected<ClientError>(ClientError{ClientError::Kind::protocol, json.error()});
  auto answer = request(method, *json, limit);
  if (!answer) return unexpected<ClientError>(std::move(answer.error()));
  auto result = decode<Result>(*answer, Unknown::ignore, "result");
  if (!result) {
    return unexpected<ClientError>(
        ClientError{ClientError::Kind::protocol, method + ": " + result.error()});
  }
  return std::move(*result);
}

}  // namespace espalier::ipc
