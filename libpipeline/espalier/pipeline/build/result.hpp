#pragma once

#include "espalier/pipeline/core/item.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace espalier::pipeline {

/// What a sink hands on.
struct Nothing {
  bool operator==(const Nothing&) const = default;
};

using Metadata = std::vector<std::pair<std::string, std::string>>;

namespace detail {
[[nodiscard]] std::string item_id(const ItemInfo* info, ItemSeq seq);
[[nodiscard]] const Metadata& item_metadata(const ItemInfo* info);
[[noreturn]] void throw_failure(const Failure& failure);
[[noreturn]] void throw_no_value(const std::string& id);
[[noreturn]] void throw_no_failure(const std::string& id);
}  // namespace detail

/// How one item ended: with a value, with a failure, or with neither (left out by a filter, eaten
/// by the sink of a branch). Move-only; costs no allocation unless the item failed.
template <class T>
class Result {
 public:
  Result() = default;
  /// Takes over an item that has left the pipeline. Precondition: its value, if it passed, is a T,
  /// or the Nothing of a sink.
  explicit Result(Item&& item) : seq_(item.seq), info_(std::move(item.info)) {
    if (item.verdict == Verdict::pass) {
      if (item.value.type() == typeid(T))
        state_.template emplace<T>(std::move(item.value.template as<T>()));
      else
        state_.template emplace<Eaten>();
    } else if (item.verdict == Verdict::fail) {
      take_failure(std::move(item));
    }
  }

  /// Is there a value?
  [[nodiscard]] explicit operator bool() const { return std::holds_alternative<T>(state_); }
  [[nodiscard]] Outcome outcome() const {
    if (const auto* failed = failure())
      return failed->kind == Failure::Kind::cancelled ? Outcome::cancelled : Outcome::failed;
    return std::holds_alternative<std::monostate>(state_) ? Outcome::skipped : Outcome::succeeded;
  }

  /// The value; without one, throws what the task threw, or a std::runtime_error that says what
  /// happened.
  [[nodiscard]] T& value() & { return *checked(); }
  [[nodiscard]] const T& value() const& { return *const_cast<Result*>(this)->checked(); }
  [[nodiscard]] T&& value() && { return std::move(*checked()); }
  [[nodiscard]] T& operator*() { return value(); }
  [[nodiscard]] const T& operator*() const { return value(); }
  [[nodiscard]] T* operator->() { return checked(); }
  [[nodiscard]] const T* operator->() const { return &value(); }

  /// Null: it did not fail and was not cancelled.
  [[nodiscard]] const Failure* failure() const {
    const auto* held = std::get_if<std::unique_ptr<Failure>>(&state_);
    return held ? held->get() : nullptr;
  }
  /// Throws what the task threw, or a std::runtime_error with the failure's message.
  /// std::logic_error: there is no failure.
  [[noreturn]] void rethrow() const {
    if (const auto* failed = failure()) detail::throw_failure(*failed);
    detail::throw_no_failure(id());
  }
  /// What the stage that failed was given. Null: another type, or the task took it away.
  template <class In>
  [[nodiscard]] const In* input() const {
    const auto* failed = failure();
    return failed && failed->input.type() == typeid(In) ? &failed->input.template as<In>()
                                                        : nullptr;
  }

  /// As given when it was fed; else its sequence number.
  [[nodiscard]] std::string id() const { return detail::item_id(info_.get(), seq_); }
  /// Its place in the order of feeding, from 0. Shared by all that came of one item.
  [[nodiscard]] ItemSeq seq() const { return seq_; }
  [[nodiscard]] const Metadata& metadata() const { return detail::item_metadata(info_.get()); }

 private:
  struct Eaten {};  ///< By a sink.

  void take_failure(Item&& item) {
    auto failed = item.failure ? std::move(item.failure) : std::make_unique<Failure>();
    if (!failed->input.has_value()) failed->input = std::move(item.value);
    state_ = std::move(failed);
  }
  T* checked() {
    if (auto* held = std::get_if<T>(&state_)) return held;
    if (const auto* failed = failure()) detail::throw_failure(*failed);
    detail::throw_no_value(id());
  }

  std::variant<std::monostate, T, std::unique_ptr<Failure>, Eaten> state_ = {};
  ItemSeq seq_ = 0;
  std::shared_ptr<const ItemInfo> info_ = {};
};

}  // namespace espalier::pipeline
