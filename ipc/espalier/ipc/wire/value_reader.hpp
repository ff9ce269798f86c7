#pragma once

#include "espalier/ipc/wire/describe.hpp"
#include "espalier/ipc/wire/json.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace espalier::ipc::internal {

/// Every integer on the wire is one that a double holds exactly.
inline constexpr std::int64_t last_integer = (std::int64_t{1} << 53) - 1;

template <class T>
constexpr std::int64_t largest_integer() {
  constexpr auto largest = std::numeric_limits<T>::max();
  return std::cmp_less(largest, last_integer) ? static_cast<std::int64_t>(largest) : last_integer;
}
template <class T>
constexpr std::int64_t least_integer() {
  constexpr auto least = std::numeric_limits<T>::min();
  return std::cmp_greater(least, -last_integer) ? static_cast<std::int64_t>(least) : -last_integer;
}

/// Reads the values that are no templates, and knows where it stands, for the sentence about the
/// first that could not be read.
class WireReader {
 public:
  WireReader(bool refuse_unknown, std::string_view where)
      : refuse_unknown_(refuse_unknown), where_(where) {}

  /// Leaves the place it stands for at its end.
  class Step {
   public:
    explicit Step(std::string& where, std::size_t before) : where_(where), before_(before) {}
    ~Step() { where_.resize(before_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::string& where_;
    std::size_t before_;
  };
  [[nodiscard]] Step enter_field(std::string_view name);
  [[nodiscard]] Step enter_element(std::size_t index);

  [[nodiscard]] bool read(const Json& json, bool& x);
  [[nodiscard]] bool read(const Json& json, double& x);
  [[nodiscard]] bool read(const Json& json, std::string& x);
  [[nodiscard]] bool read(const Json& json, Timestamp& x);
  [[nodiscard]] bool read(const Json& json, RawJson& x);
  [[nodiscard]] std::optional<std::int64_t> integer(const Json& json, std::int64_t least,
                                                    std::int64_t largest);
  [[nodiscard]] std::optional<std::size_t> word(const Json& json,
                                                std::span<const std::string_view> words);

  /// False: `object` has a field that is not among `names`, and that matters.
  [[nodiscard]] bool knows_all(const Json& object, std::span<const std::string_view> names);

  /// False, always. The place is added; the first problem is kept.
  bool fail(std::string_view what);
  bool expected_but(std::string_view what, const Json& json);
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  bool refuse_unknown_;
  std::string where_;
  std::string problem_ = {};
};

}  // namespace espalier::ipc::internal
