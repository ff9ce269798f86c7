#include "espalier/cli/remote/child_file.hpp"

#include "espalier/ipc/wire/json.hpp"
#include "espalier/supervisor/os/read_file.hpp"

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cstddef>
#include <cstring>
#include <iostream>
#include <iterator>
#include <stdexcept>

namespace espalier::cli {
namespace {

using ipc::Json;

constexpr std::size_t largest_file = 4UL << 20U;
constexpr std::size_t most_nodes = 20'000;
constexpr std::size_t deepest = ipc::max_depth - 4;  // The request around it takes some.

struct Fault : std::runtime_error {
  Fault(const YAML::Mark& at, const std::string& what) : std::runtime_error(what), mark(at) {}
  YAML::Mark mark;
};

// A plain scalar is what JSON would write without quotes; everything else is text.
Json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;
  if (text == "true") return true;
  if (text == "false") return false;
  if (text == "null" || text == "~" || text.empty()) return nullptr;
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto x = std::from_chars(text.data(), end, whole); x.ec == std::errc() && x.ptr == end)
    return whole;
  double real = 0;
  const bool is_number = text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  if (const auto x = std::from_chars(text.data(), end, real);
      is_number && x.ec == std::errc() && x.ptr == end) {
    return real;
  }
  return text;
}

class Converter {
 public:
  // NOLINTNEXTLINE(misc-no-recursion): bounded by `deepest`.
  Json convert(const YAML::Node& node, std::size_t depth) {
    if (++nodes_ > most_nodes) throw Fault(node.Mark(), "too much for one child");
    if (depth > deepest) throw Fault(node.Mark(), "nested too deep");
    switch (node.Type()) {
      case YAML::NodeType::Map:
        return map(node, depth);
      case YAML::NodeType::Sequence: {
        Json out = Json::array();
        for (const auto& item : node)
          out.push_back(convert(item, depth + 1));
        return out;
      }
      case YAML::NodeType::Scalar:
        return scalar(node);
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined:
        return nullptr;
    }
    return nullptr;
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion)
  Json map(const YAML::Node& node, std::size_t depth) {
    Json out = Json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) throw Fault(entry.first.Mark(), "a key must be a word");
      const std::string key = entry.first.Scalar();
      if (out.contains(key)) throw Fault(entry.first.Mark(), "'" + key + "' stands here twice");
      out[key] = convert(entry.second, depth + 1);
    }
    return out;
  }

  std::size_t nodes_ = 0;
};

std::string place(const std::string& file, const YAML::Mark& mark) {
  const std::string name = file == "-" ? "<stdin>" : file;
  if (mark.is_null()) return name + ": ";
  return name + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1) + ": ";
}

}  // namespace

expected<std::pair<std::string, std::string>, std::string> split_file_path(
    const std::string& text) {
  const std::size_t colon = text.rfind(":/");
  if (colon == std::string::npos || colon == 0) {
    return unexpected<std::string>("'" + text +
                                   "': write the file, a colon and the path of the supervisor, "
                                   "for example worker.yaml:/workers");
  }
  return std::pair{text.substr(0, colon), text.substr(colon + 1)};
}

expected<std::string, std::string> child_json(const std::string& text, const std::string& file) {
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap()) {
      return unexpected<std::string>(place(file, root.Mark()) +
                                     "this is no child; write its fields: name: ..., kind: ...");
    }
    return Converter().convert(root, 0).dump(-1, ' ', false, Json::error_handler_t::replace);
  } catch (const Fault& fault) {
    return unexpected<std::string>(place(file, fault.mark) + fault.what());
  } catch (const YAML::Exception& error) {
    return unexpected<std::string>(place(file, error.mark) + error.msg);
  }
}

expected<std::string, std::string> text_of_file(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  auto text = supervisor::read_file(file, largest_file);
  if (!text) {
    return unexpected<std::string>(std::string(std::strerror(text.error())) +
                                   "; name a file that can be read, or - for standard input");
  }
  if (text->size() > largest_file) return unexpected<std::string>("larger than 4 MiB");
  return std::move(*text);
}

}  // namespace espalier::cli
