#include <espalier/ipc.hpp>
#include <espalier/supervisor.hpp>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>

namespace ipc = espalier::ipc;
namespace sv = espalier::supervisor;
using namespace std::chrono_literals;

namespace {

/// What `espalier restart /work --socket PATH` does, in short.
bool ask(const std::string& path) {
  ipc::ClientOptions options;
  options.path = path;
  options.client = "embed_socket";
  auto client = ipc::Client::connect(options);
  if (!client) return std::cerr << client.error().message << '\n', false;
  std::cout << "connected to " << client->hello().target_id << std::endl;

  ipc::CommandParams restart;
  restart.path = "/work";
  restart.requested_by = "main";
  restart.reason = "to show how";
  const auto answer = client->call<ipc::CommandAnswer>("command.restart_child", restart);
  if (!answer) return std::cerr << answer.error().message << '\n', false;
  std::cout << "restart: " << ipc::to_string(answer->status) << std::endl;
  return answer->status == ipc::CommandStatus::completed;
}

}  // namespace

int main() {
  std::string pattern = (std::filesystem::temp_directory_path() / "embed-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return std::cerr << "no folder\n", 1;
  const std::string folder = pattern;

  sv::ChildFactories factories;
  factories.add_blocking("work", [](sv::ChildContext& self) { self.sleep_for(1h); });
  sv::SupervisorSpec tree;
  tree.name = "shop";
  tree.children = {{.name = "work", .kind = sv::ChildKind::blocking, .factory = "work"}};

  ipc::ServerOptions options;
  options.target_id = tree.name;
  options.spec.path = folder + "/shop.sock";
  options.logs = std::make_shared<ipc::LogRing>(1000);
  auto prepared = ipc::PreparedServer::prepare(options);
  if (!prepared) return std::cerr << prepared.error().message << '\n', 1;

  sv::SupervisorOptions supervisor;
  supervisor.output = options.logs;
  const auto handle = sv::Supervisor::start(tree, factories, supervisor);
  if (!handle) return std::cerr << handle.error().message << '\n', 1;
  auto server = ipc::Server::start(*handle, std::move(*prepared));
  if (!server) return std::cerr << server.error().message << '\n', 1;

  const bool well = ask((*server)->path());
  const bool stopped = static_cast<bool>(handle->shutdown({"main", "the end of the example"}));
  server->reset();
  std::filesystem::remove_all(folder);
  return well && stopped ? 0 : 1;
}
