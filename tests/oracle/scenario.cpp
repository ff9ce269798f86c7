#include "oracle/scenario.hpp"

#include <sstream>

namespace espalier::oracle {

namespace {

using supervisor::AutoShutdown;

const char* word(Nature x) {
  static const char* words[] = {"obedient", "rude", "deaf", "brutal"};
  return words[static_cast<std::size_t>(x)];
}

const char* word(Reason x) {
  static const char* words[] = {"normal", "shutdown", "{shutdown,because}",
                                "crash",  "error",    "killed"};
  return words[static_cast<std::size_t>(x)];
}

const char* word(AutoShutdown x) {
  static const char* words[] = {"never", "any_significant", "all_significant"};
  return words[static_cast<std::size_t>(x)];
}

const char* word(supervisor::Strategy x) {
  static const char* words[] = {"one_for_one", "one_for_all", "rest_for_one"};
  return words[static_cast<std::size_t>(x)];
}

const char* word(supervisor::RestartType x) {
  static const char* words[] = {"permanent", "transient", "temporary"};
  return words[static_cast<std::size_t>(x)];
}

template <class T, class F>
std::string list_of(const std::vector<T>& items, F term) {
  std::string text;
  for (const auto& item : items)
    text += (text.empty() ? "" : ",") + term(item);
  return "[" + text + "]";
}

/// Instances of pools have numbers for names.
std::string atom(const std::string& name) {
  return name.front() >= 'a' ? name : "'" + name + "'";
}

/// "/a/x" is [a,x], "/" is [].
std::string path_term(const std::string& path) {
  std::vector<std::string> names;
  std::istringstream in{path.substr(1)};
  for (std::string name; std::getline(in, name, '/');)
    names.push_back(name);
  return list_of(names, atom);
}

std::string to_term(const SupervisorDecl& decl);

std::string to_term(const ChildDecl& decl) {
  return "{" + decl.name + "," + word(decl.restart) + "," + (decl.significant ? "true" : "false") +
         "," + word(decl.nature) + "," + (decl.nested ? to_term(*decl.nested) : "worker") + "}";
}

std::string to_term(const SupervisorDecl& decl) {
  return std::string{"{"} + (decl.is_pool ? "simple_one_for_one" : word(decl.strategy)) + "," +
         std::to_string(decl.intensity) + "," + word(decl.auto_shutdown) + "," +
         list_of(decl.children, [](const auto& x) { return to_term(x); }) + "}";
}

}  // namespace

std::string to_term(const Action& action) {
  const auto path = action.path.empty() ? "" : path_term(action.path);
  switch (action.kind) {
    case Action::Kind::start:
      return "start";
    case Action::Kind::fail:
      return "{fail," + path + "," + std::to_string(action.times) + "}";
    case Action::Kind::exits:
      return "{exits," +
             list_of(action.ends,
                     [](const auto& end) {
                       return "{" + path_term(end.path) + "," + word(end.reason) + "}";
                     }) +
             "}";
    case Action::Kind::terminate:
      return "{terminate," + path + "}";
    case Action::Kind::restart:
      return "{restart," + path + "}";
    case Action::Kind::remove:
      return "{delete," + path + "}";
    case Action::Kind::add:
      return "{start," + path + "," + to_term(action.child) + "}";
    case Action::Kind::grow:
      return "{grow," + path + "," + atom(action.child.name) + "}";
    case Action::Kind::shrink:
      return "{shrink," + path + "}";
    case Action::Kind::shutdown:
      break;
  }
  return "shutdown";
}

std::string to_term(const Scenario& scenario) {
  return "{" + to_term(scenario.root) + "," +
         list_of(scenario.actions, [](const auto& x) { return to_term(x); }) + "}";
}

}  // namespace espalier::oracle
