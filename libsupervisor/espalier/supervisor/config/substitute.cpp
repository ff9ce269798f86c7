#include "espalier/supervisor/config/internal/reader.hpp"

namespace espalier::supervisor::internal {

namespace {

bool is_variable_name(const std::string& name) {
  return is_valid_name(name) && name.find_first_of(".-") == std::string::npos;
}

// The value of what stands between the braces, or the reason why there is none.
expected<std::string, std::string> look_up(const Environment& environment,
                                           const std::string& inside) {
  const auto dash = inside.find(":-");
  const auto name = inside.substr(0, dash);
  if (!is_variable_name(name)) {
    return unexpected<std::string>("expected a variable's name in ${" + inside +
                                   "}; write $${ for a literal ${");
  }
  auto value = environment(name);
  if (value && (!value->empty() || dash == std::string::npos)) return *value;
  if (dash != std::string::npos) return inside.substr(dash + 2);
  return unexpected<std::string>("the variable " + name + " is not set; set it or write ${" + name +
                                 ":-default}");
}

}  // namespace

std::optional<Text> substitute(LoadContext& context, const Node& node, const std::string& key) {
  Text result{node.text, node.quoted};
  if (node.literal) return result;
  std::size_t at = 0;
  while ((at = result.text.find("${", at)) != std::string::npos) {
    if (at > 0 && result.text[at - 1] == '$') {
      result.text.erase(at - 1, 1);
      ++at;
      continue;
    }
    const auto end = result.text.find('}', at);
    if (end == std::string::npos) {
      context.fail(node.position, key, "a ${ without its }; write $${ for a literal ${");
      return std::nullopt;
    }
    const auto value = look_up(context.environment, result.text.substr(at + 2, end - at - 2));
    if (!value) {
      context.fail(node.position, key, value.error());
      return std::nullopt;
    }
    result.text.replace(at, end + 1 - at, *value);
    at += value->size();
    result.quoted = false;  // in {flow: maps} such a value has to be quoted, whatever its type
  }
  return result;
}

}  // namespace espalier::supervisor::internal
