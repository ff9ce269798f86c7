#include "espalier/supervisor/config/internal/reader.hpp"
#include "espalier/supervisor/os/read_file.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace espalier::supervisor::internal {

namespace {

// A little below what execve(2) takes as one variable.
constexpr std::size_t largest_secret = 64U << 10U;

constexpr const char* form = "expected {secret: {env: NAME}} or {secret: {file: PATH}}";

// The value, or the reason why there is none.
using Found = expected<std::string, std::string>;

Found refuse(const std::string& reason) {
  return unexpected<std::string>(reason);
}

Found from_variable(const Environment& environment, const std::string& name) {
  auto value = environment(name);
  const auto advice =
      "; set it where this program is started, or name a file: {secret: {file: PATH}}";
  if (!value) return refuse("the variable " + name + " is not set" + advice);
  if (value->empty()) return refuse("the variable " + name + " is empty" + advice);
  return *value;
}

Found from_file(const std::string& path) {
  std::error_code fault;
  const auto status = std::filesystem::status(path, fault);
  if (!std::filesystem::exists(status)) {
    return refuse("the file " + path + " does not exist; write the secret into it");
  }
  if (!std::filesystem::is_regular_file(status)) {
    return refuse(path + " is no regular file; name one that holds the secret and nothing else");
  }
  auto read = read_file(path, largest_secret);
  if (!read && read.error() == EACCES) {
    return refuse("the file " + path + " cannot be read; let this user read it");
  }
  if (!read) return refuse("reading the file " + path + " failed; check its disk");
  auto text = std::move(*read);
  if (text.size() > largest_secret) {
    return refuse("the file " + path + " is larger than 64 KiB, the most a secret may be");
  }
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty() && text.back() == '\r') text.pop_back();
  if (text.empty()) return refuse("the file " + path + " is empty; write the secret into it");
  if (text.find('\0') != std::string::npos) {
    return refuse("the file " + path + " holds a zero byte, which no variable can");
  }
  return text;
}

std::string scalar_text(const std::string& text) {
  return text.empty() ? "\"\"" : render_text(text);
}

std::string secret_text(const SecretSource& source) {
  const auto* kind = source.kind == SecretSource::Kind::env ? "env" : "file";
  return std::string("{secret: {") + kind + ": " + scalar_text(source.name) + "}}";
}

// The one entry of a map, or null.
const Entry* only_entry(const Node& node) {
  return node.kind == Node::Kind::map && node.entries.size() == 1 ? &node.entries.front() : nullptr;
}

}  // namespace

std::optional<Secret> resolve_secret(LoadContext& context, const Node& node,
                                     const std::string& key) {
  const auto* outer = only_entry(node);
  if (outer == nullptr || outer->key != "secret") {
    context.fail(node.position, key, form);
    return std::nullopt;
  }
  const auto* inner = only_entry(outer->value);
  const bool from_env = inner != nullptr && inner->key == "env";
  const bool known = from_env || (inner != nullptr && inner->key == "file");
  if (!known || inner->value.kind != Node::Kind::scalar) {
    context.fail(outer->value.position, key + ".secret", form);
    return std::nullopt;
  }
  const auto place = key + ".secret." + inner->key;
  const auto name = substitute(context, inner->value, place);
  if (!name) return std::nullopt;
  if (name->text.empty()) {
    context.fail(inner->value.position, place, form);
    return std::nullopt;
  }
  const auto found =
      from_env ? from_variable(context.environment, name->text) : from_file(name->text);
  if (!found) {
    context.fail(inner->value.position, place, found.error());
    return std::nullopt;
  }
  const auto kind = from_env ? SecretSource::Kind::env : SecretSource::Kind::file;
  return Secret{{kind, name->text}, *found};
}

Value environment_value(ProcessSpec& target) {
  auto value = text_map_value(target.environment);
  value.expected += ", or {secret: {env: NAME}} or {secret: {file: PATH}}";
  value.clear = [&target] {
    target.environment.clear();
    target.secrets.clear();
  };
  value.parse_secret = [parse = value.parse, &target](const std::string& key,
                                                      const std::string& text,
                                                      const SecretSource& source) {
    if (!parse(key, {text, true})) return false;
    target.secrets[key] = source;
    return true;
  };
  value.hides = [&target] { return !target.secrets.empty(); };
  value.render = [&target]() -> std::string {
    std::string text;
    for (const auto& [key, item] : target.environment) {
      const auto secret = target.secrets.find(key);
      text += (text.empty() ? "{" : ", ") + quote(key) + ": ";
      text += secret == target.secrets.end() ? scalar_text(item) : secret_text(secret->second);
    }
    return text.empty() ? text : text + "}";
  };
  return value;
}

}  // namespace espalier::supervisor::internal
