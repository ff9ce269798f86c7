#pragma once

#include "oracle/scenario.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace espalier::oracle {

/// OTP's own supervisor, in a process of its own that lives for one batch of scenarios.
class Otp {
 public:
  /// Why there is none here, as a sentence.
  [[nodiscard]] static std::optional<std::string> missing();

  /// Compiles our Erlang program into a folder of its own. Throws std::runtime_error with what the
  /// compiler says.
  Otp();
  ~Otp();
  Otp(const Otp&) = delete;
  Otp& operator=(const Otp&) = delete;

  /// One trace for each. Throws std::runtime_error with what Erlang says if it did not carry all
  /// of them out.
  [[nodiscard]] std::vector<Trace> traces_of(const std::vector<Scenario>& scenarios) const;

 private:
  [[nodiscard]] std::string run(const std::string& command) const;

  std::filesystem::path folder_;
};

}  // namespace espalier::oracle
