#include "espalier/supervisor/config/kept_children.hpp"

#include "espalier/supervisor/config/internal/child_loader.hpp"

#include <string_view>

namespace espalier::supervisor {

namespace {

using internal::Node;
using internal::Problems;

// Entries are read one by one: the limits of a document hold for each, not for all of them.
struct Block {
  std::string text = {};
  int lines_before = 0;
};

bool begins_entry(std::string_view line) {
  return line == "-" || line.substr(0, 2) == "- ";
}

bool says_something(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  return first != std::string_view::npos && line[first] != '#';
}

expected<std::vector<Block>, Problems> split(const std::string& text, const std::string& file) {
  std::vector<Block> blocks;
  int number = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = std::string_view(text).substr(at, end - at);
    if (begins_entry(line)) blocks.push_back({{}, number});
    if (blocks.empty() && says_something(line)) {
      return unexpected<Problems>(
          Problems{{{file, number + 1, 1}, "", "expected an entry that begins with - parent:"}});
    }
    if (!blocks.empty()) blocks.back().text.append(line).append("\n");
    at = end + 1;
    ++number;
  }
  return blocks;
}

void move_down(SourcePosition& position, int lines) {
  if (position.line > 0) position.line += lines;
}

void move_down(Node& node, int lines) {
  move_down(node.position, lines);
  for (auto& item : node.items)
    move_down(item, lines);
  for (auto& entry : node.entries) {
    move_down(entry.position, lines);
    move_down(entry.value, lines);
  }
}

void read_entry(Node& item, const LoadOptions& options, KeptChild& kept) {
  std::vector<ConfigProblem> warnings;
  std::vector<EffectiveField> fields;
  internal::LoadContext context{options.environment, kept.problems, warnings, fields};
  internal::Sources sources;
  internal::Reader reader(context, &item, {}, sources);
  reader.value({"parent", "Path of its supervisor.", "/"}, internal::text_value(kept.parent));
  reader.allow("child");
  reader.finish();
  auto* child = item.find("child");
  if (child == nullptr) {
    context.fail(item.position, "child", "is missing; an entry is made of parent and child");
    return;
  }
  kept.child = internal::ChildLoader(context, options).load_alone(child->value, "child");
}

}  // namespace

expected<std::vector<KeptChild>, std::vector<ConfigProblem>> load_kept_children(
    const std::string& text, const std::string& file_name, const LoadOptions& options) {
  auto blocks = split(text, file_name);
  if (!blocks) return unexpected<Problems>(std::move(blocks.error()));
  std::vector<KeptChild> result;
  for (auto& block : *blocks) {
    Problems problems;
    auto list = internal::read_yaml(block.text, file_name, problems);
    for (auto& problem : problems)
      move_down(problem.position, block.lines_before);
    if (!problems.empty()) return unexpected<Problems>(std::move(problems));
    if (!list || list->kind != Node::Kind::list || list->items.size() != 1) {
      return unexpected<Problems>(Problems{
          {{file_name, block.lines_before + 1, 1}, "", "expected an entry - parent:, child:"}});
    }
    move_down(*list, block.lines_before);
    KeptChild kept;
    kept.text = std::move(block.text);
    read_entry(list->items.front(), options, kept);
    result.push_back(std::move(kept));
  }
  return result;
}

expected<ChildSpec, std::vector<ConfigProblem>> load_child_text(const std::string& text,
                                                                const std::string& name,
                                                                const LoadOptions& options) {
  Problems problems;
  auto node = internal::read_yaml(text, name, problems);
  if (!node || !problems.empty()) return unexpected<Problems>(std::move(problems));
  if (node->kind != Node::Kind::map) {
    return unexpected<Problems>(
        Problems{{node->position, "child", "expected a map with at least a name"}});
  }
  std::vector<ConfigProblem> warnings;
  std::vector<EffectiveField> fields;
  internal::LoadContext context{options.environment, problems, warnings, fields};
  auto child = internal::ChildLoader(context, options).load_alone(*node, "child");
  if (!problems.empty()) return unexpected<Problems>(std::move(problems));
  return child;
}

std::string render_kept_child(const std::string& parent, const ChildSpec& child) {
  return "- parent: " + internal::quote(parent) + "\n  child:\n" +
         internal::render_child(child, "    ");
}

}  // namespace espalier::supervisor
