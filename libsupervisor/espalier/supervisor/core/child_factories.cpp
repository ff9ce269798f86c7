#include "espalier/supervisor/core/child_factories.hpp"

#include <stdexcept>
#include <utility>

namespace espalier::supervisor {

ChildFactories& ChildFactories::add(ChildKind kind, const std::string& name,
                                    std::shared_ptr<const void> factory) {
  if (!entries_.emplace(name, Entry{kind, std::move(factory)}).second) {
    throw std::invalid_argument("a factory named '" + name +
                                "' is registered already; choose another name");
  }
  return *this;
}

ChildFactories& ChildFactories::add_blocking(const std::string& name, BlockingFunction run) {
  return add(ChildKind::blocking, name, std::make_shared<const BlockingFunction>(std::move(run)));
}

ChildFactories& ChildFactories::add_pipeline(const std::string& name, PipelineFactory make) {
  return add(ChildKind::pipeline, name, std::make_shared<const PipelineFactory>(std::move(make)));
}

ChildFactories& ChildFactories::add_probe(const std::string& name, ProbeFunction probe) {
  if (!probes_.emplace(name, std::move(probe)).second) {
    throw std::invalid_argument("a probe named '" + name +
                                "' is registered already; choose another name");
  }
  return *this;
}

const void* ChildFactories::find(ChildKind kind, const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() || found->second.kind != kind ? nullptr
                                                               : found->second.factory.get();
}

const BlockingFunction* ChildFactories::find_blocking(const std::string& name) const {
  return static_cast<const BlockingFunction*>(find(ChildKind::blocking, name));
}

const PipelineFactory* ChildFactories::find_pipeline(const std::string& name) const {
  return static_cast<const PipelineFactory*>(find(ChildKind::pipeline, name));
}

const ProbeFunction* ChildFactories::find_probe(const std::string& name) const {
  const auto found = probes_.find(name);
  return found == probes_.end() ? nullptr : &found->second;
}

std::optional<ChildKind> ChildFactories::kind_of(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  return found->second.kind;
}

std::vector<std::string> ChildFactories::names() const {
  std::vector<std::string> result;
  for (const auto& entry : entries_)
    result.push_back(entry.first);
  return result;
}

std::vector<std::string> ChildFactories::probe_names() const {
  std::vector<std::string> result;
  for (const auto& entry : probes_)
    result.push_back(entry.first);
  return result;
}

}  // namespace espalier::supervisor
