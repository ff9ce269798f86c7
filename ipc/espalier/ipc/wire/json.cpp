#include "espalier/ipc/wire/json.hpp"

#include "espalier/ipc/wire/nearest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
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

// Builds the value. A container is finished before it is moved into the one around it, so nothing
// is copied; keys are compared once their object is complete, so many keys cost no square.
class Builder {
 public:
  Builder(std::size_t max_depth, const std::size_t& read) : max_depth_(max_depth), read_(read) {}

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
  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }
  bool key(std::string& name) {
    open_.back().keys.push_back(std::move(name));
    return true;
  }
  bool end_array() {
    auto items = std::move(open_.back().items);
    open_.pop_back();
    return add(Json(std::move(items)));
  }
  bool end_object() {
    auto done = std::move(open_.back());
    open_.pop_back();
    if (const auto* twice = repeated(done.keys)) {
      return fail("the key " + in_quotes(*twice) + " stands twice in the object that ends here");
    }
    Json object = Json::object();
    auto& members = object.get_ref<Json::object_t&>();
    members.reserve(done.keys.size());
    for (std::size_t i = 0; i < done.keys.size(); ++i) {
      members.emplace_back(std::move(done.keys[i]), std::move(done.items[i]));
    }
    return add(std::move(object));
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    return fail(reason_of(error));
  }

 private:
  struct Open {
    bool is_object = false;
    std::vector<std::string> keys = {};
    std::vector<Json> items = {};
  };

  static const std::string* repeated(const std::vector<std::string>& keys) {
    std::vector<const std::string*> sorted;
    sorted.reserve(keys.size());
    for (const auto& key : keys)
      sorted.push_back(&key);
    std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return *a < *b; });
    const auto same = [](auto* a, auto* b) { return *a == *b; };
    const auto found = std::adjacent_find(sorted.begin(), sorted.end(), same);
    return found == sorted.end() ? nullptr : *found;
  }

  bool open(bool is_object) {
    if (open_.size() >= max_depth_) {
      return fail("nested deeper than " + std::to_string(max_depth_) + " levels");
    }
    open_.emplace_back().is_object = is_object;
    return true;
  }
  bool add(Json value) {
    if (open_.empty()) {
      result_ = std::move(value);
    } else {
      open_.back().items.push_back(std::move(value));
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
