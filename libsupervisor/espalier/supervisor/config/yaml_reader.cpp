#include "espalier/supervisor/config/internal/node.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <sstream>

namespace espalier::supervisor::internal {

const Entry* Node::find(const std::string& key) const {
  for (const auto& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

Entry* Node::find(const std::string& key) {
  return const_cast<Entry*>(std::as_const(*this).find(key));
}

namespace {

// Ends the parse at once; its problem has been filed already.
struct Abandon {};

// Builds our tree from the parser's events. The parser's own tree is not used: it keeps the first
// of two equal keys, lets an anchor contain itself, and expands aliases without a bound.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::string file, Problems& problems) : file_(std::move(file)), problems_(problems) {}

  [[nodiscard]] Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) abandon(at(mark), "expected one document, found a second one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(make(mark, Node::Kind::null), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    auto node = make(mark, Node::Kind::scalar);
    node.text = value;
    node.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    finish(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) abandon(at(mark), "this alias stands inside its own anchor");
    spend(found->second.nodes, at(mark));
    if (open_.size() + found->second.depth > depth_limit) too_deep(at(mark));
    place(found->second.node, found->second.nodes, found->second.depth);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(mark, Node::Kind::list, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(mark, Node::Kind::map, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node = {};
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    std::size_t nodes = 1;
    std::size_t depth = 1;
    std::map<std::string, SourcePosition> keys = {};
  };
  struct Anchored {
    Node node = {};
    std::size_t nodes = 1;
    std::size_t depth = 0;
  };

  [[nodiscard]] SourcePosition at(const YAML::Mark& mark) const {
    return {file_, mark.line + 1, mark.column + 1};
  }

  [[noreturn]] void abandon(SourcePosition position, std::string message) {
    problems_.push_back({std::move(position), "", std::move(message)});
    throw Abandon{};
  }
  [[noreturn]] void too_deep(SourcePosition position) {
    abandon(std::move(position), "nested deeper than " + std::to_string(depth_limit) + " levels");
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!" || tag.rfind("tag:yaml.org,2002:", 0) == 0) return;
    abandon(at(mark), "the tag " + tag + " means nothing here; remove it");
  }

  Node make(const YAML::Mark& mark, Node::Kind kind) {
    auto position = at(mark);
    spend(1, position);
    Node node;
    node.kind = kind;
    node.position = std::move(position);
    return node;
  }

  void spend(std::size_t nodes, const SourcePosition& position) {
    spent_ += nodes;
    if (spent_ <= node_budget) return;
    abandon(position, "more than " + std::to_string(node_budget) +
                          " values (aliases count each time they are used)");
  }

  void open(const YAML::Mark& mark, Node::Kind kind, YAML::anchor_t anchor) {
    if (open_.size() >= depth_limit) too_deep(at(mark));
    Open item;
    item.node = make(mark, kind);
    item.anchor = anchor;
    open_.push_back(std::move(item));
  }

  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != 0) anchors_[done.anchor] = {done.node, done.nodes, done.depth};
    place(std::move(done.node), done.nodes, done.depth);
  }

  void finish(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = {node, 1, 0};
    place(std::move(node), 1, 0);
  }

  void place(Node node, std::size_t nodes, std::size_t depth) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& parent = open_.back();
    parent.nodes += nodes;
    parent.depth = std::max(parent.depth, depth + 1);
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.has_key) {
      parent.has_key = false;
      parent.node.entries.back().value = std::move(node);
    } else {
      add_key(parent, node);
    }
  }

  void add_key(Open& parent, const Node& key) {
    if (key.kind != Node::Kind::scalar) abandon(key.position, "expected a key, which is a word");
    const auto [first, fresh] = parent.keys.emplace(key.text, key.position);
    if (!fresh) {
      problems_.push_back({key.position, key.text,
                           "this key stands here twice; the first is at " +
                               to_string(first->second) + ", remove one"});
    }
    parent.has_key = true;
    parent.node.entries.push_back({key.text, key.position, {}});
  }

  std::string file_;
  Problems& problems_;
  Node root_ = {};
  std::vector<Open> open_ = {};
  std::map<YAML::anchor_t, Anchored> anchors_ = {};
  std::size_t spent_ = 0;
  int documents_ = 0;
};

}  // namespace

std::optional<Node> read_yaml(const std::string& text, const std::string& file_name,
                              Problems& problems) {
  if (text.size() > size_limit) {
    problems.push_back(
        {{file_name, 0, 0},
         "",
         "larger than " + std::to_string(size_limit >> 20U) + " MiB; this cannot be a tree file"});
    return std::nullopt;
  }
  if (const auto nul = text.find('\0'); nul != std::string::npos) {
    problems.push_back({{file_name, 0, 0}, "", "holds a zero byte; this is no text file"});
    return std::nullopt;
  }
  Builder builder(file_name, problems);
  try {
    std::istringstream input(text);
    YAML::Parser parser(input);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Abandon&) {
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    const bool known = !error.mark.is_null();
    problems.push_back(
        {{file_name, known ? error.mark.line + 1 : 0, known ? error.mark.column + 1 : 0},
         "",
         "not valid YAML: " + error.msg});
    return std::nullopt;
  }
  return builder.take();
}

}  // namespace espalier::supervisor::internal
