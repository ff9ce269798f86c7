#pragma once

#include "espalier/ipc/registration/registration_engine.hpp"
#include "espalier/supervisor/core/event.hpp"

#include <functional>
#include <memory>
#include <string>

namespace espalier::ipc {

/// A RegistrationEngine on a thread of its own. The relay may hang, lie or die: it costs this
/// thread and 64 KiB. The destructor unregisters, and waits a second at most for that.
class Registrar {
 public:
  using Tell = std::function<void(supervisor::Severity, const std::string&)>;
  Registrar(supervisor::RegistrationSpec spec, RegisterParams self, Tell tell);
  ~Registrar();
  Registrar(const Registrar&) = delete;
  Registrar& operator=(const Registrar&) = delete;
  [[nodiscard]] RegistrationEngine::State state() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::ipc
