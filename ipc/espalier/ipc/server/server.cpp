#include "espalier/ipc/server/server.hpp"

#include "espalier/ipc/core/audit.hpp"
#include "espalier/ipc/core/service.hpp"
#include "espalier/ipc/registration/registrar.hpp"
#include "espalier/ipc/server/audit_file.hpp"
#include "espalier/ipc/server/runtime_folder.hpp"
#include "espalier/ipc/server/server_loop.hpp"
#include "espalier/ipc/server/socket_file.hpp"
#include "espalier/ipc/server/supervisor_target.hpp"
#include "espalier/ipc/wire/methods.hpp"
#include "espalier/supervisor/os/internal/signals_blocked.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <thread>
#include <utility>

namespace espalier::ipc {

namespace {

using Kind = ServerError::Kind;

struct OpenAudit {
  std::unique_ptr<AuditStore> store = {};
  ChainHead head = {};
};

// Without its audit a tree runs on and refuses commands; the log says so, not only who is refused.
class ToldAudit final : public AuditStore {
 public:
  ToldAudit(std::unique_ptr<AuditStore> store, const ServerOptions& options)
      : store_(std::move(store)), path_(options.spec.security.audit_file), tell_(options.tell) {}

  [[nodiscard]] bool append(const std::string& line) override {
    const bool kept = store_->append(line);
    if (kept != works_ && tell_) {
      if (kept) {
        tell_(supervisor::Severity::info, "the audit file " + path_ + " can be written again");
      } else {
        tell_(supervisor::Severity::error,
              "the audit file " + path_ +
                  " cannot be written, so commands are refused; is its disk full, or did somebody "
                  "change, move or remove it?");
      }
    }
    works_ = kept;
    return kept;
  }
  [[nodiscard]] std::vector<std::string> last(std::size_t limit) override {
    return store_->last(limit);
  }

 private:
  std::unique_ptr<AuditStore> store_;
  std::string path_;
  std::function<void(supervisor::Severity, const std::string&)> tell_;
  bool works_ = true;
};

expected<OpenAudit, ServerError> open_audit(const ServerOptions& options) {
  const auto& rules = options.spec.security;
  if (rules.audit_file.empty()) return OpenAudit{std::make_unique<AuditRing>(rules.audit_capacity)};
  auto file = AuditFile::open(rules.audit_file);
  if (!file) return unexpected<ServerError>(ServerError{Kind::audit, std::move(file.error())});
  const auto head = (*file)->head();
  const auto& notice = (*file)->notice();
  if (!notice.empty() && options.tell) options.tell(supervisor::Severity::warning, notice);
  return OpenAudit{std::make_unique<ToldAudit>(std::move(*file), options), head};
}

// A tree file is held to the same; here it may also come from the name of the root alone.
constexpr std::size_t longest_target_id = 64;

// A name may hold anything; a file name may not.
std::string file_name_of(std::string name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  std::replace_if(
      name.begin(), name.end(), [&](char c) { return !fits(static_cast<unsigned char>(c)); }, '_');
  return name.empty() ? "target" : name;
}

expected<std::string, ServerError> socket_path(const ServerOptions& options) {
  if (!options.spec.path.empty()) {
    std::error_code error;
    const auto path = std::filesystem::absolute(options.spec.path, error);
    return error ? options.spec.path : path.string();
  }
  const auto folder = runtime_folder();
  if (auto problem = make_runtime_folder(folder); !problem.empty()) {
    return unexpected<ServerError>(ServerError{Kind::refused, std::move(problem)});
  }
  return folder + "/" + file_name_of(options.spec.target_id) + ".sock";
}

expected<SocketFile, ServerError> open_socket(const ServerOptions& options,
                                              supervisor::UniqueFd given) {
  if (given) return SocketFile::adopt(std::move(given));
  const auto path = socket_path(options);
  if (!path) return unexpected<ServerError>(path.error());
  return SocketFile::bind(*path, options.spec.permissions, options.spec.bind_mode);
}

std::vector<std::string> command_methods() {
  std::vector<std::string> result;
  for (const auto& method : methods()) {
    if (method.is_command) result.emplace_back(method.name);
  }
  return result;
}

TargetInfo info_of(const ServerOptions& options) {
  TargetInfo info;
  info.target_id = options.spec.target_id;
  info.display_name = options.spec.display_name;
  info.pid = ::getpid();
  info.version = options.version;
  return info;
}

}  // namespace

class Server::Impl {
 public:
  Impl(SocketFile file, OpenAudit audit, supervisor::SupervisorHandle handle,
       const ServerOptions& options, const std::shared_ptr<Mailbox>& mailbox)
      : file_(std::move(file)),
        audit_(std::move(audit.store)),
        mailbox_(mailbox),
        target_(std::move(handle), options, info_of(options), [mailbox] { mailbox->news(); }),
        service_({options.spec, ::geteuid(), options.backpressure, options.figures}, target_,
                 *audit_, audit.head,
                 [mailbox](std::function<void()> work) { mailbox->post(std::move(work)); }),
        loop_(file_.fd(), service_, target_, *mailbox_),
        target_id_(options.spec.target_id) {}

  ~Impl() {
    registrar_.reset();
    mailbox_->post([this] { loop_.stop(); });
    if (thread_.joinable()) thread_.join();
    mailbox_->close();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] bool begin(const ServerOptions& options) {
    if (!mailbox_->is_usable() || !loop_.begin()) return false;
    const supervisor::internal::SignalsBlocked blocked;
    thread_ = std::thread{[this] {
      ::pthread_setname_np(::pthread_self(), "espalier-ipc");
      loop_.run();
    }};
    const auto& relay = options.spec.registration;
    if (relay.path.empty()) return true;
    RegisterParams self;
    self.target_id = target_id_;
    self.display_name = options.spec.display_name;
    self.ipc_path = file_.path();
    self.lease_seconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(relay.lease).count());
    self.supported_commands = command_methods();
    self.pid = ::getpid();
    self.version = options.version;
    auto tell = options.tell ? options.tell : [](supervisor::Severity, const std::string&) {};
    registrar_ = std::make_unique<Registrar>(relay, std::move(self), std::move(tell));
    return true;
  }

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  [[nodiscard]] const std::string& target_id() const { return target_id_; }

 private:
  SocketFile file_;
  std::unique_ptr<AuditStore> audit_;
  std::shared_ptr<Mailbox> mailbox_;  ///< Outlives us where a command of ours goes on.
  SupervisorTarget target_;
  Service service_;
  ServerLoop loop_;
  std::string target_id_;
  std::thread thread_ = {};
  std::unique_ptr<Registrar> registrar_ = {};
};

struct PreparedServer::Parts {
  ServerOptions options;
  OpenAudit audit;
  SocketFile file;
};

PreparedServer::PreparedServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
PreparedServer::PreparedServer(PreparedServer&&) noexcept = default;
PreparedServer& PreparedServer::operator=(PreparedServer&&) noexcept = default;
PreparedServer::~PreparedServer() = default;

expected<PreparedServer, ServerError> PreparedServer::prepare(ServerOptions options,
                                                              supervisor::UniqueFd listener) {
  auto& spec = options.spec;
  if (spec.target_id.empty()) spec.target_id = options.target_id;
  if (spec.display_name.empty()) spec.display_name = spec.target_id;
  if (spec.target_id.size() > longest_target_id) {
    return unexpected<ServerError>(ServerError{
        Kind::refused, "the name of this target has " + std::to_string(spec.target_id.size()) +
                           " bytes, more than the " + std::to_string(longest_target_id) +
                           " that clients can rely on; set dashboard.target_id"});
  }
  auto file = open_socket(options, std::move(listener));
  if (!file) return unexpected<ServerError>(std::move(file.error()));
  auto audit = open_audit(options);
  if (!audit) return unexpected<ServerError>(std::move(audit.error()));
  return PreparedServer{
      std::unique_ptr<Parts>{new Parts{std::move(options), std::move(*audit), std::move(*file)}}};
}

expected<std::unique_ptr<Server>, ServerError> Server::start(supervisor::SupervisorHandle handle,
                                                             ServerOptions options) {
  auto prepared = PreparedServer::prepare(std::move(options));
  if (!prepared) return unexpected<ServerError>(std::move(prepared.error()));
  return start(std::move(handle), std::move(*prepared));
}

expected<std::unique_ptr<Server>, ServerError> Server::start(supervisor::SupervisorHandle handle,
                                                             PreparedServer prepared) {
  auto& parts = *prepared.parts_;
  auto impl = std::make_unique<Impl>(std::move(parts.file), std::move(parts.audit),
                                     std::move(handle), parts.options, std::make_shared<Mailbox>());
  if (!impl->begin(parts.options)) {
    return unexpected<ServerError>(
        ServerError{Kind::failed, "the system has no room for a server; see: ulimit -n"});
  }
  return std::unique_ptr<Server>{new Server{std::move(impl)}};
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

const std::string& Server::path() const {
  return impl_->path();
}

const std::string& Server::target_id() const {
  return impl_->target_id();
}

}  // namespace espalier::ipc
