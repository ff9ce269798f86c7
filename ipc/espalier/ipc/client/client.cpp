#include "espalier/ipc/client/client.hpp"

#include "espalier/ipc/client/internal/line_socket.hpp"
#include "espalier/ipc/client/internal/push_queue.hpp"
#include "espalier/ipc/wire/envelope.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>

namespace espalier::ipc {
namespace {

using supervisor::Duration;
using supervisor::TimePoint;
using Kind = ClientError::Kind;
constexpr auto replace = Json::error_handler_t::replace;  // Broken UTF-8 is not sent.

unexpected<ClientError> fault(Kind kind, std::string message) {
  return unexpected<ClientError>(ClientError{.kind = kind, .message = std::move(message)});
}

/// One word for one request of this process: two connections never use the same.
std::string new_request_id() {
  static std::atomic<std::uint64_t> last = 0;
  return std::to_string(++last);
}

std::string text_of(const Json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_string() ? field->get<std::string>() : std::string();
}

std::string shown(Duration limit) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  if (ms < 10'000) return std::to_string(ms) + " ms";
  return std::to_string(ms / 1000) + " s";
}

/// What `error` of a line says. `otherwise`: the kind of all that is not about permission to enter.
ClientError told(const Json& line, Kind otherwise, const std::string& before) {
  const auto body = line.find("error");
  if (body == line.end()) {
    return {.kind = Kind::protocol, .message = before + "it gave no reason."};
  }
  auto refusal = decode<ErrorBody>(*body, Unknown::ignore, "error");
  if (!refusal) {
    // A word that only a newer target knows; its sentence is still worth reading.
    return {.kind = otherwise, .message = before + text_of(*body, "message")};
  }
  const bool shut_out =
      refusal->code == ErrorCode::forbidden && refusal->stage == Stage::connection;
  return {.kind = shut_out ? Kind::no_permission : otherwise,
          .message = before + refusal->message,
          .refusal = std::move(*refusal)};
}

}  // namespace

class Client::Impl {
 public:
  Impl(ClientOptions options, internal::LineSocket socket)
      : options_(std::move(options)), socket_(std::move(socket)) {}

  expected<void, ClientError> greet(TimePoint deadline);
  expected<Json, ClientError> request(const std::string& method, const Json& params,
                                      TimePoint deadline, Duration limit);
  expected<std::optional<Push>, ClientError> next(TimePoint deadline);
  [[nodiscard]] const ClientOptions& options() const { return options_; }
  [[nodiscard]] const HelloResult& hello() const { return hello_; }
  [[nodiscard]] int fd() const { return socket_.fd(); }

 private:
  /// One line in: a push is kept, a farewell remembered, the answer to `awaited` is the result.
  expected<std::optional<Json>, ClientError> take(const std::string& line,
                                                  const std::string& awaited);
  expected<std::optional<Json>, ClientError> take_push(Json line, std::size_t bytes);
  unexpected<ClientError> fail(ClientError error) {
    failed_ = error;
    return unexpected<ClientError>(std::move(error));
  }

  ClientOptions options_;
  internal::LineSocket socket_;
  HelloResult hello_ = {};
  internal::PushQueue pushes_ = internal::PushQueue();
  std::optional<ClientError> failed_ = {};  ///< The connection is of no more use.
};

expected<void, ClientError> Client::Impl::greet(TimePoint deadline) {
  Json params = Json::object();
  if (!options_.client.empty()) params["client"] = options_.client;
  auto answer = request("hello", params, deadline, options_.timeout);
  if (!answer) return unexpected<ClientError>(std::move(answer.error()));
  if (const auto version = text_of(*answer, "protocol_version"); version != protocol_version) {
    return fault(Kind::protocol,
                 "What answers at " + options_.path + " speaks " +
                     (version.empty() ? "no protocol that it names" : "\"" + version + "\"") +
                     ", this program \"" + protocol_version +
                     "\". Use the version of this program that belongs to the target.");
  }
  auto hello = decode<HelloResult>(*answer, Unknown::ignore, "result");
  if (!hello) return fault(Kind::protocol, "hello: " + hello.error());
  hello_ = std::move(*hello);
  return {};
}

expected<Json, ClientError> Client::Impl::request(const std::string& method, const Json& params,
                                                  TimePoint deadline, Duration limit) {
  if (failed_) return unexpected<ClientError>(*failed_);
  const std::string id = new_request_id();
  socket_.send(request_line(id, method, params.dump(-1, ' ', false, replace)) + "\n");
  while (true) {
    auto got = socket_.read(deadline);
    if (!got) return fail(std::move(got.error()));
    if (!*got) {
      return fault(Kind::timed_out, "No answer to " + method + " from " + options_.path +
                                        " within " + shown(limit) +
                                        ": the target is busy or hangs. Try again, or with a "
                                        "longer time-out.");
    }
    auto answer = take(**got, id);
    if (!answer) return unexpected<ClientError>(std::move(answer.error()));
    if (*answer) return std::move(**answer);
  }
}

expected<std::optional<Push>, ClientError> Client::Impl::next(TimePoint deadline) {
  while (true) {
    if (auto push = pushes_.take()) return push;
    if (failed_) return unexpected<ClientError>(*failed_);
    auto got = socket_.read(deadline);
    if (!got) return fail(std::move(got.error()));
    if (!*got) return std::optional<Push>();
    if (auto taken = take(**got, ""); !taken) {
      return unexpected<ClientError>(std::move(taken.error()));
    }
  }
}

expected<std::optional<Json>, ClientError> Client::Impl::take(const std::string& line,
                                                              const std::string& awaited) {
  if (line.empty()) return std::optional<Json>();
  auto json = parse_json(line);
  if (!json || !json->is_object()) {
    return fail({.kind = Kind::protocol,
                 .message = "What answers at " + options_.path + " sent a line that is no " +
                            "message (" + (json ? "no object" : json.error()) +
                            "): that is no target."});
  }
  if (json->contains("type")) return take_push(std::move(*json), line.size());
  const auto id = json->find("request_id");
  if (id == json->end()) {
    return fail({.kind = Kind::protocol,
                 .message = "What answers at " + options_.path +
                            " sent a line without request_id and type: that is no target."});
  }
  // About a line that had no request_id that could be read, or about the connection.
  if (id->is_null()) return unexpected<ClientError>(told(*json, Kind::refused, ""));
  // Others are late: whoever asked has given up.
  if (awaited.empty() || !id->is_string() || *id != awaited) return std::optional<Json>();
  const auto ok = json->find("ok");
  if (ok == json->end() || *ok != true) {
    return unexpected<ClientError>(told(*json, Kind::refused, ""));
  }
  const auto result = json->find("result");
  return std::optional<Json>(result == json->end() ? Json::object() : std::move(*result));
}

expected<std::optional<Json>, ClientError> Client::Impl::take_push(Json line, std::size_t bytes) {
  Push push = {.type = text_of(line, "type"), .subscription_id = text_of(line, "subscription_id")};
  if (push.type == "bye") return fail(told(line, Kind::closed, "The target ended it: "));
  push.body = std::move(line);
  pushes_.add(std::move(push), bytes);
  return std::optional<Json>();
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

expected<Client, ClientError> Client::connect(ClientOptions options) {
  const auto deadline = internal::deadline_after(options.timeout);
  auto socket = internal::LineSocket::connect(options.path, deadline);
  if (!socket) return unexpected<ClientError>(std::move(socket.error()));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(*socket));
  if (auto greeted = impl->greet(deadline); !greeted) {
    return unexpected<ClientError>(std::move(greeted.error()));
  }
  return Client(std::move(impl));
}

const HelloResult& Client::hello() const {
  return impl_->hello();
}

expected<Json, ClientError> Client::request(const std::string& method, const Json& params,
                                            std::optional<Duration> limit) {
  const Duration time = limit.value_or(impl_->options().timeout);
  return impl_->request(method, params, internal::deadline_after(time), time);
}

expected<std::optional<Push>, ClientError> Client::next(Duration limit) {
  return impl_->next(internal::deadline_after(limit));
}

int Client::fd() const {
  return impl_->fd();
}

}  // namespace espalier::ipc
