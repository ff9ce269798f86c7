#include "espalier/supervisor/config/internal/reader.hpp"

#include <algorithm>

namespace espalier::supervisor::internal {

namespace {

constexpr std::size_t longest_quoted = 60;

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
    case Node::Kind::scalar:
      break;
  }
  auto text = node.text;
  if (text.size() > longest_quoted) text = text.substr(0, longest_quoted) + "...";
  return quote(text);
}

std::string expectation(const Value& value) {
  switch (value.shape) {
    case Value::Shape::scalar:
      return value.expected;
    case Value::Shape::list:
      return "a list, each item " + value.expected;
    case Value::Shape::map:
      return "a map, each value " + value.expected;
  }
  return {};
}

// "sleep infinity" as "[sleep, infinity]": what somebody who wrote a command line meant.
std::string as_list(const std::string& text) {
  std::string list;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" \t", at)) != std::string::npos) {
    const auto end = std::min(text.find_first_of(" \t", at), text.size());
    list += (list.empty() ? "[" : ", ") + render_text(text.substr(at, end - at));
    at = end;
  }
  return list.empty() ? "[]" : list + "]";
}

}  // namespace

Reader::Reader(LoadContext& context, const Node* node, std::string path, Sources& sources,
               std::string prefix)
    : context_(context),
      node_(node),
      path_(std::move(path)),
      sources_(sources),
      prefix_(std::move(prefix)) {
  if (node_ == nullptr || node_->kind == Node::Kind::map) return;
  if (node_->kind != Node::Kind::null) {
    context_.fail(node_->position, path_, "expected a map, got " + describe(*node_));
  }
  node_ = nullptr;
}

std::string Reader::full(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

const Entry* Reader::claim(const std::string& key) {
  known_.push_back(key);
  return node_ == nullptr ? nullptr : node_->find(key);
}

void Reader::value(const FieldInfo& info, const Value& value) {
  const auto* entry = claim(info.key);
  const auto* in_ms = value.is_duration ? claim(info.key + "_ms") : nullptr;
  if (entry != nullptr && in_ms != nullptr) {
    context_.fail(std::max(entry->position.line, in_ms->position.line) == entry->position.line
                      ? entry->position
                      : in_ms->position,
                  full(info.key),
                  "given as " + info.key + " and as " + info.key + "_ms; keep one of the two");
    return;
  }
  const auto* given = entry != nullptr ? entry : in_ms;
  const auto name = prefix_ + info.key;
  if (given != nullptr && read_entry(*given, full(given->key), value, in_ms != nullptr)) {
    sources_[name] = to_string(given->value.position);
  }
  const auto rendered = value.render();
  if (rendered.empty()) return;
  const auto source = sources_.find(name);
  context_.fields.push_back(
      {full(info.key), rendered, source == sources_.end() ? "default" : source->second});
}

void Reader::group(const FieldInfo& info, const std::string& shorthand, const Body& body) {
  const auto* entry = claim(info.key);
  Node expanded;
  const Node* node = entry == nullptr ? nullptr : &entry->value;
  const auto path = full(info.key);
  const bool is_short = node != nullptr && node->kind == Node::Kind::scalar && !shorthand.empty();
  if (is_short) {
    expanded.kind = Node::Kind::map;
    expanded.position = node->position;
    expanded.entries.push_back({shorthand, entry->position, *node});
    node = &expanded;
  }
  Reader inner(context_, node, path, sources_, prefix_ + info.key + ".");
  body(inner);
  inner.finish();
}

void Reader::optional(const FieldInfo& info, const std::string& shorthand, const Presence& presence,
                      const Body& body) {
  const auto* entry = node_ == nullptr ? nullptr : node_->find(info.key);
  const auto* node = entry == nullptr ? nullptr : &entry->value;
  if (node != nullptr && node->kind == Node::Kind::scalar && node->text == "none") {
    allow(info.key);
    presence.drop();
    context_.fields.push_back({full(info.key), "none", to_string(node->position)});
    return;
  }
  const bool given = node != nullptr && node->kind != Node::Kind::null;
  if (given) presence.give();
  if (given || presence.present) {
    group(info, shorthand, body);
  } else {
    allow(info.key);
  }
}

void Reader::rows(const FieldInfo& info, const Rows& rows) {
  const auto* entry = claim(info.key);
  if (entry == nullptr || entry->value.kind == Node::Kind::null) return;
  const auto& node = entry->value;
  if (node.kind != Node::Kind::list) {
    context_.fail(node.position, full(info.key),
                  "expected a list of maps, each begun with -, got " + describe(node));
    return;
  }
  rows.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    rows.add();
    const auto index = "[" + std::to_string(i) + "]";
    Reader inner(context_, &node.items[i], full(info.key) + index, sources_,
                 prefix_ + info.key + index + ".");
    rows.describe(i, inner);
    inner.finish();
  }
}

bool Reader::read_entry(const Entry& entry, const std::string& key, const Value& value,
                        bool in_ms) {
  const auto& node = entry.value;
  if (value.shape == Value::Shape::scalar) return read_scalar(node, key, {}, value, in_ms);
  const bool is_list = value.shape == Value::Shape::list;
  if (node.kind != (is_list ? Node::Kind::list : Node::Kind::map)) {
    refuse(node, key, value);
    return false;
  }
  value.clear();
  bool good = true;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    good =
        read_scalar(node.items[i], key + "[" + std::to_string(i) + "]", {}, value, false) && good;
  }
  for (const auto& item : node.entries) {
    const auto full_key = key + "." + item.key;
    const bool is_secret = value.parse_secret && item.value.kind == Node::Kind::map;
    good = (is_secret ? read_secret(item.value, full_key, item.key, value)
                      : read_scalar(item.value, full_key, item.key, value, false)) &&
           good;
  }
  return good;
}

bool Reader::read_secret(const Node& node, const std::string& key, const std::string& map_key,
                         const Value& value) {
  const auto secret = resolve_secret(context_, node, key);
  if (!secret) return false;
  if (value.parse_secret(map_key, secret->value, secret->source)) return true;
  context_.fail(node.position, key, "expected " + value.expected);
  return false;
}

bool Reader::read_scalar(const Node& node, const std::string& key, const std::string& map_key,
                         const Value& value, bool in_ms) {
  auto item = value;
  item.shape = Value::Shape::scalar;
  if (node.kind != Node::Kind::scalar) {
    refuse(node, key, item);
    return false;
  }
  auto text = substitute(context_, node, key);
  if (!text) return false;
  if (in_ms) {
    const auto number = parse_integer(*text, 0, std::numeric_limits<std::int64_t>::max());
    if (number && value.parse({}, {std::to_string(*number) + "ms", false})) return true;
    context_.fail(node.position, key,
                  "expected a whole number of milliseconds that makes " + value.expected +
                      ", got " + describe(node));
    return false;
  }
  if (value.parse(map_key, *text)) return true;
  Node shown = node;
  shown.text = text->text;
  refuse(shown, key, item);
  return false;
}

void Reader::refuse(const Node& node, const std::string& key, const Value& value) {
  auto message = "expected " + expectation(value) + ", got " + describe(node);
  if (node.kind == Node::Kind::scalar) {
    const auto word = snake_case(node.text);
    const bool only_quotes =
        value.shape == Value::Shape::scalar && node.quoted && value.parse({}, {node.text, false});
    if (only_quotes) {
      message += " in quotes, which is text; remove the quotes";
    } else if (value.shape == Value::Shape::list) {
      message += "; write " + as_list(node.text);
    } else if (value.is_duration && parse_integer({node.text, false}, 0, 1LL << 40)) {
      message += "; add a unit, such as " + node.text + "s, or write the key with _ms";
    } else {
      message += hint(word, value.words);
    }
  }
  context_.fail(node.position, key, message);
}

void Reader::finish(const Elsewhere& elsewhere, const std::vector<std::string>& also_known) {
  if (node_ == nullptr) return;
  auto candidates = known_;
  candidates.insert(candidates.end(), also_known.begin(), also_known.end());
  for (const auto& entry : node_->entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    auto message = elsewhere ? elsewhere(entry.key) : std::string();
    if (message.empty()) message = advice_for(entry.key);
    if (message.empty()) {
      const auto near = nearest(snake_case(entry.key), candidates);
      message = "unknown key" +
                (near.empty() ? "; known here: " + one_of(known_) : "; did you mean " + near + "?");
    }
    context_.fail(entry.position, full(entry.key), message);
  }
}

}  // namespace espalier::supervisor::internal
