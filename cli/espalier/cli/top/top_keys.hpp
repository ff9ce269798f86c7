#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::cli {

/// One key, or one character of a text that is typed.
struct Key {
  enum class Kind : std::uint8_t {
    text,  ///< `text` holds one character, as UTF-8.
    up,
    down,
    left,
    right,
    page_up,
    page_down,
    home,
    end,
    enter,
    escape,
    tab,
    back_tab,
    backspace,
    interrupt,  ///< Ctrl-C
    redraw,     ///< Ctrl-L
  };
  Kind kind = Kind::text;
  std::string text = {};
  bool operator==(const Key&) const = default;
};

/// Bytes of a terminal become keys. Pure. Sequences of keys it does not know count as nothing.
class KeyReader {
 public:
  /// The keys that are whole by now; what may go on is kept.
  [[nodiscard]] std::vector<Key> read(const std::string& bytes);
  /// Nothing followed for a moment: what was kept is a key of its own (a lone Esc).
  [[nodiscard]] std::vector<Key> flush();
  [[nodiscard]] bool is_waiting() const { return !kept_.empty(); }

 private:
  std::string kept_;
};

}  // namespace espalier::cli
