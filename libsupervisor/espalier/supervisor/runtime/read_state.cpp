#include "espalier/supervisor/runtime/read_state.hpp"

#include "espalier/supervisor/config/internal/node.hpp"

#include <utility>

namespace espalier::supervisor {

namespace {

// A page is copied while its supervisor has to wait: small enough that it never notices.
constexpr std::size_t rows_per_page = 256;
// Names compared with an unknown one.
constexpr std::size_t names_compared = 4096;

bool has_children(ChildKind kind) {
  return kind == ChildKind::supervisor || kind == ChildKind::pool;
}

std::shared_ptr<const SupervisorView> view_of(const SupervisorEntry& entry) {
  return std::make_shared<SupervisorView>(
      SupervisorView{entry.board->info().strategy, entry.board->counts(), entry.ended});
}

class Reader {
 public:
  Reader(const TreeServices& services, std::vector<NodeState>& into)
      : services_(services), into_(into) {}

  using Depth = std::optional<std::uint32_t>;

  void add_node(const std::string& parent, BoardRow row, Depth depth) {
    const auto kind = row.spec ? row.spec->kind : ChildKind::actor;
    into_.push_back({.path = join_path(parent, row.name),
                     .kind = kind,
                     .view = std::move(row.view),
                     .spec = std::move(row.spec)});
    if (!has_children(kind)) return;
    const auto path = into_.back().path;
    const auto entry = services_.directory->find(path);
    if (!entry) return;  // It has never run.
    into_.back().supervisor = view_of(*entry);
    add_children(path, *entry->board, depth);
  }

  void add_children(const std::string& path, const StateBoard& board, Depth depth) {
    if (depth && *depth == 0) return;
    if (depth) --*depth;
    into_.reserve(into_.size() + board.counts().total);
    std::vector<BoardRow> rows;
    rows.reserve(rows_per_page);
    std::size_t from = 0;
    for (bool more = true; more;) {
      rows.clear();
      more = board.page(from, rows_per_page, rows);
      for (auto& row : rows)
        add_node(path, std::move(row), depth);
    }
  }

 private:
  const TreeServices& services_;
  std::vector<NodeState>& into_;
};

}  // namespace

expected<TreeState, Error> read_state(const TreeServices& services, const StateQuery& query,
                                      const ChildView& root) {
  TreeState result{.epoch = services.epoch, .sequence = services.sequence->load()};
  result.taken_at = std::chrono::system_clock::now();
  result.counts = services.directory->totals()->counts();
  Reader reader{services, result.nodes};
  const auto top = services.directory->find("/");
  if (top) result.config_version = top->board->info().config_version;
  if (query.path == "/") {
    result.nodes.push_back({.path = "/", .view = root});
    if (!top) return result;  // It has only just been launched.
    result.nodes.back().supervisor = view_of(*top);
    reader.add_children("/", *top->board, query.depth);
    return result;
  }
  const auto place = services.directory->above(query.path);
  auto row = place ? place->supervisor.board->find(place->rest) : std::nullopt;
  if (!row) return unexpected<Error>(not_found(services, query.path));
  reader.add_node(place->path, std::move(*row), query.depth);
  return result;
}

std::vector<std::string> unready_paths(const TreeServices& services, std::size_t limit) {
  std::vector<std::string> result;
  for (const auto& [path, entry] : services.directory->below("/")) {
    if (entry.board->counts().unready == 0) continue;
    std::vector<BoardRow> rows;
    std::size_t from = 0;
    for (bool more = true; more && result.size() < limit;) {
      rows.clear();
      more = entry.board->page(from, rows_per_page, rows);
      for (const auto& row : rows) {
        if (StateBoard::is_unready(row) && result.size() < limit) {
          result.push_back(join_path(path, row.name));
        }
      }
    }
  }
  return result;
}

Error not_found(const TreeServices& services, const std::string& path) {
  const auto fail = [](const std::string& text) { return Error{Error::Code::not_found, text}; };
  if (path.empty() || path.front() != '/') {
    return fail("'" + path + "' is no path; paths begin with /, as /db or /workers/w1");
  }
  const auto place = services.directory->above(path);
  if (!place) return fail("there is no " + path + "; the tree has no supervisor yet");
  const auto name = place->rest.substr(0, place->rest.find('/'));
  if (const auto known = place->supervisor.board->find(name); known && name != place->rest) {
    const auto parent = join_path(place->path, name);
    const bool can = known->spec && has_children(known->spec->kind);
    return fail("there is no " + path + "; " + parent +
                (can ? " does not run, so nothing is below it" : " is no supervisor"));
  }
  std::vector<std::string> names;
  std::vector<BoardRow> rows;
  std::size_t from = 0;
  place->supervisor.board->page(from, names_compared, rows);
  for (auto& row : rows)
    names.push_back(join_path(place->path, row.name));
  return fail("there is no " + path + internal::hint(path, names));
}

}  // namespace espalier::supervisor
