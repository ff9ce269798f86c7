#pragma once

#include "espalier/supervisor/core/child_context.hpp"
#include "espalier/supervisor/core/pipeline_work.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Says whether a child is well; may throw, which says why not. Runs on a thread of the I/O pool
/// that may be kept for as long as the probe's time-out.
using ProbeFunction = std::function<bool(const std::string& path)>;

/// Name -> what a child of that name runs. Names are unique over all kinds; a second registration
/// under a name throws std::invalid_argument. Copyable; not for use while another thread adds.
///
/// Blocking functions are added here. `add_actor` (actor_factory.hpp) and `add_async`
/// (io/async_function.hpp) add what needs CAF or Boost, so that this header needs neither.
class ChildFactories {
 public:
  ChildFactories& add_blocking(const std::string& name, BlockingFunction run);
  ChildFactories& add_pipeline(const std::string& name, PipelineFactory make);
  /// Probes have names of their own.
  ChildFactories& add_probe(const std::string& name, ProbeFunction probe);
  /// For adapters: `factory` points to what the adapter of `kind` expects.
  ChildFactories& add(ChildKind kind, const std::string& name, std::shared_ptr<const void> factory);

  [[nodiscard]] const BlockingFunction* find_blocking(const std::string& name) const;
  [[nodiscard]] const PipelineFactory* find_pipeline(const std::string& name) const;
  [[nodiscard]] const ProbeFunction* find_probe(const std::string& name) const;
  [[nodiscard]] const void* find(ChildKind kind, const std::string& name) const;
  [[nodiscard]] std::optional<ChildKind> kind_of(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> names() const;        ///< Sorted; without probes.
  [[nodiscard]] std::vector<std::string> probe_names() const;  ///< Sorted.

 private:
  struct Entry {
    ChildKind kind = ChildKind::blocking;
    std::shared_ptr<const void> factory = {};
  };
  std::map<std::string, Entry> entries_;
  std::map<std::string, ProbeFunction> probes_;
};

}  // namespace espalier::supervisor
