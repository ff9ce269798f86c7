#include "espalier/ipc/wire/json.hpp"

#include "espalier/ipc/wire/nearest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

namespace espalier::ipc {
namespace {

// Bytes of a text that count how many of them were read.
class CountedByte {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountedByte(const char* at, std::size_t* read) : at_(at), read_(read) {}
  reference operator*() const { return *at_; }
  CountedByte& operator++() {
    ++at_;
    ++*read_;
    return *this;
  }
  CountedByte operator++(int) {
    const auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountedByte& a, const CountedByte& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  std::size_t* read_;
};

// The library's words without its prefix and without what was read, which may be long.
std::string reason_of(const nlohmann::json::exception& error) {
  constexpr int number_overflow = 406;
  if (error.id == number_overflow) return "a number that is too large";
  std::string text = error.what();
  if (const auto place = text.find(": "); place != std::string::npos) text.erase(0, place + 2);
  const auto from = text.find("; last read: '");
  const auto to = text.rfind('\'');
  if (from != std::string::npos && to > from) text.erase(from, to - from + 1);
  return text;
}

// Builds the value. What belongs to containers that are still open stands in two stacks, so a
// request costs few allocations; keys are compared once their object is complete, so many keys cost
// no square.
class Builder {
 public:
  Builder(std::size_t max_depth, const std::size_t& read) : max_depth_(max_depth), read_(read) {
    constexpr std::size_t usual = 8;
    open_.reserve(usual);
    keys_.reserve(usual);
    items_.reserve(usual);
  }

  [[nodiscard]] Json take() { return std::move(result_); }
  [[nodiscard]] std::string problem() const {
    return "byte " + std::to_string(problem_at_) + ": " + problem_;
  }

  bool null() { return add(nullptr); }
  bool boolean(bool x) { return add(x); }
  bool number_integer(std::int64_t x) { return add(x); }
  bool number_unsigned(std::uint64_t x) { return add(x); }
  bool number_float(double x, const std::string&) { return add(x); }
  bool string(std::string& x) { return add(std::move(x)); }
  bool binary(Json::binary_t&) { return fail("binary data"); }
  bool start_object(std::size_t) { return open(); }
  bool start_array(std::size_t) { return open(); }
  bool key(std::string& name) {
    keys_.push_back(std::move(name));
    return true;
  }
  bool end_array() {
    const auto first = items_.begin() + offset(open_.back().first_item);
    open_.pop_back();
    Json array(Json::array_t(std::move_iterator{first}, std::move_iterator{items_.end()}));
    items_.erase(first, items_.end());
    return add(std::move(array));
  }
  bool end_object() {
    const auto first_key = keys_.begin() + offset(open_.back().first_key);
    auto item = items_.begin() + offset(open_.back().first_item);
    if (const auto* twice = repeated({first_key, keys_.end()})) {
      return fail("the key " + in_quotes(*twice) + " stands twice in the object that ends here");
    }
    Json object = Json::object();
    auto& members = object.get_ref<Json::object_t&>();
    members.reserve(static_cast<std::size_t>(keys_.end() - first_key));
    for (auto key = first_key; key != keys_.end(); ++key, ++item)
      members.emplace_back(std::move(*key), std::move(*item));
    items_.resize(open_.back().first_item);
    keys_.resize(open_.back().first_key);
    open_.pop_back();
    return add(std::move(object));
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    return fail(reason_of(error));
  }

 private:
  struct Open {
    std::size_t first_key = 0;
    std::size_t first_item = 0;
  };

  static std::ptrdiff_t offset(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }

  static const std::string* repeated(std::span<const std::string> keys) {
    constexpr std::size_t few = 8;
    if (keys.size() <= few) {
      for (auto key = keys.begin(); key != keys.end(); ++key)
        if (std::find(std::next(key), keys.end(), *key) != keys.end()) return &*key;
      return nullptr;
    }
    std::vector<const std::string*> sorted;
    sorted.reserve(keys.size());
    for (const auto& key : keys)
      sorted.push_back(&key);
    std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return *a < *b; });
    const auto same = [](auto* a, auto* b) { return *a == *b; };
    const auto found = std::adjacent_find(sorted.begin(), sorted.end(), same);
    return found == sorted.end() ? nullptr : *found;
  }

  bool open() {
    if (open_.size() >= max_depth_) {
      return fail("nested deeper than " + std::to_string(max_depth_) + " levels");
    }
    open_.push_back({keys_.size(), items_.size()});
    return true;
  }
  bool add(Json value) {
    if (open_.empty()) {
      result_ = std::move(value);
    } else {
      items_.push_back(std::move(value));
    }
    return true;
  }
  bool fail(std::string problem) {
    problem_ = std::move(problem);
    problem_at_ = read_;
    return false;
  }

  std::size_t max_depth_;
  const std::size_t& read_;
  std::vector<Open> open_ = {};
  std::vector<std::string> keys_ = {};
  std::vector<Json> items_ = {};
  Json result_ = {};
  std::string problem_ = {};
  std::size_t problem_at_ = 0;
};

}  // namespace

expected<Json, std::string> parse_json(std::string_view text, std::size_t depth) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    return unexpected<std::string>("byte 1: a byte order mark; send plain UTF-8 without one");
  }
  // The library takes a NUL for the end.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return unexpected<std::string>("byte " + std::to_string(nul + 1) + ": a NUL byte");
  }
  std::size_t read = 0;
  Builder builder{depth, read};
  const CountedByte first{text.data(), &read};
  const CountedByte last{text.data() + text.size(), &read};
  if (!Json::sax_parse(first, last, &builder)) {
    return unexpected<std::string>(builder.problem());
  }
  return builder.take();
}

}  // namespace espalier::ipc
