#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/child_file.hpp"
#include "espalier/cli/remote/commander.hpp"
#include "espalier/cli/remote/steer.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/ipc/client/find_target.hpp"

#include <algorithm>
#include <cstdlib>

namespace espalier::cli {
namespace {

// Children of the pool as the tree has them now.
expected<std::uint64_t, Failure> instances_of(Session& session, const std::string& path) {
  const auto state = session.state(path, 1);
  if (!state) return unexpected<Failure>(state.error());
  const std::size_t nodes = state->value.snapshot.nodes.size();
  return nodes == 0 ? std::uint64_t{0} : nodes - 1;
}

// A reload of `text` (empty: of the target's own file). Shows the steps before it asks.
int reload(const std::string& verb, const std::string& text, const RemoteOptions& options,
           const Terminal& terminal) {
  Commander commander(options, terminal, verb);
  if (!commander.connect()) return commander.finish();
  ipc::CommandParams params = commander.params();
  params.confirmed = true;
  if (!text.empty()) params.text = text;
  const std::string place = options.file.empty() || options.file == "-" ? verb : options.file;
  if (!options.yes && !options.dry_run && terminal.asks) {
    ipc::CommandParams rehearsal = params;
    rehearsal.dry_run = true;
    rehearsal.command_id.reset();
    const auto plan = commander.ask("reload", rehearsal);
    if (!plan) {
      commander.fail(plan.error());
      return commander.finish();
    }
    if (exit_code_of(plan->value) != exit_done) {
      commander.print(place, *plan);
      return commander.finish();
    }
    terminal.err << render_answer(place, true, plan->value, terminal);
  }
  if (!commander.may("Let the running tree of " + commander.session().hello().target_id +
                     " follow " + (text.empty() ? "its file" : place) + "?")) {
    return commander.finish();
  }
  commander.send("reload", params, place);
  return commander.finish();
}

}  // namespace

int scale_verb(const RemoteOptions& options, const Terminal& terminal) {
  Commander commander(options, terminal, "scale");
  if (!commander.connect()) return commander.finish();
  std::uint64_t now = 0;
  if (options.size.starts_with('+') || options.size.starts_with('-')) {
    const auto instances = instances_of(commander.session(), options.path());
    if (!instances) {
      commander.fail(instances.error());
      return commander.finish();
    }
    now = *instances;
  }
  const auto size = pool_size(options.size, now);
  if (!size) {
    commander.fail({exit_usage, "scale: " + size.error()});
    return commander.finish();
  }
  ipc::CommandParams params = commander.params(options.path());
  params.size = *size;
  commander.send("scale_pool", params, options.path());
  return commander.finish();
}

int add_verb(const RemoteOptions& options, const Terminal& terminal) {
  const auto where = split_file_path(options.file);
  if (!where) return fail(terminal, exit_usage, "add: " + where.error());
  const auto text = text_of_file(where->first);
  if (!text) return fail(terminal, exit_config_invalid, where->first + ": " + text.error());
  const auto child = child_json(*text, where->first);
  if (!child) return fail(terminal, exit_config_invalid, child.error());
  Commander commander(options, terminal, "add");
  if (!commander.connect()) return commander.finish();
  ipc::CommandParams params = commander.params(where->second);
  params.child = ipc::RawJson{*child};
  params.confirmed = true;
  commander.send("add_child", params, where->second);
  return commander.finish();
}

int apply_verb(const RemoteOptions& options, const Terminal& terminal) {
  const auto text = text_of_file(options.file);
  if (!text) return fail(terminal, exit_config_invalid, options.file + ": " + text.error());
  if (text->empty())
    return fail(terminal, exit_config_invalid, options.file + ": the file is empty");
  return reload("apply", *text, options, terminal);
}

int reload_verb(const RemoteOptions& options, const Terminal& terminal) {
  return reload("reload", "", options, terminal);
}

int remote_plan_verb(const RemoteOptions& options, const Terminal& terminal) {
  RemoteOptions rehearsal = options;
  rehearsal.dry_run = true;
  const auto text = text_of_file(options.file);
  if (!text) return fail(terminal, exit_config_invalid, options.file + ": " + text.error());
  return reload("plan", *text, rehearsal, terminal);
}

bool has_target(const RemoteOptions& options) {
  const char* const named = std::getenv("ESPALIER_SOCKET");
  if (!options.socket.empty() || !options.target.empty()) return true;
  if (named != nullptr && *named != '\0') return true;
  const auto found = ipc::list_targets(ipc::runtime_folders());
  return std::any_of(found.begin(), found.end(), [](const auto& target) { return target.alive; });
}

int shutdown_verb(const RemoteOptions& options, const Terminal& terminal) {
  Commander commander(options, terminal, "shutdown");
  if (!commander.connect()) return commander.finish();
  const std::string& name = commander.session().hello().target_id;
  if (!commander.may("Shut down " + name + " and all its children?")) return commander.finish();
  ipc::CommandParams params = commander.params();
  params.confirmed = true;
  commander.send("shutdown_tree", params, name);
  return commander.finish();
}

}  // namespace espalier::cli
