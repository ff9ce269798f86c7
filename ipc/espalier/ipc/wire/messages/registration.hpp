#pragma once

#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::ipc {

struct RegisterParams {
  std::string target_id = {};
  std::string display_name = {};
  std::string ipc_path = {};
  std::uint64_t lease_seconds = 0;
  std::vector<std::string> supported_commands = {};
  std::int64_t pid = 0;
  std::string version = {};
  static void describe(auto& self, auto& visit) {
    visit("target_id", self.target_id, "Name of the target among all.");
    visit("display_name", self.display_name, "For people.");
    visit("ipc_path", self.ipc_path, "Absolute path of its socket.");
    visit("lease_seconds", self.lease_seconds, "Silence after which it counts as gone.");
    visit("supported_commands", self.supported_commands, "Methods that change something.");
    visit("pid", self.pid, "Of the program.");
    visit("version", self.version, "Of the program.");
  }
};

struct RegisterResult {
  std::string registration_id = {};
  std::uint64_t heartbeat_seconds = 0;
  static void describe(auto& self, auto& visit) {
    visit("registration_id", self.registration_id, "Made by the relay.");
    visit("heartbeat_seconds", self.heartbeat_seconds, "How often it wants a sign of life.");
  }
};

struct HeartbeatParams {
  std::string registration_id = {};
  static void describe(auto& self, auto& visit) {
    visit("registration_id", self.registration_id, "As it was given.");
  }
};

}  // namespace espalier::ipc
