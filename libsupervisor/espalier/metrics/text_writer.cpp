#include "espalier/metrics/text_writer.hpp"

#include "espalier/metrics/label.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace espalier::metrics {

namespace {

const char* word_of(Type type) {
  switch (type) {
    case Type::counter:
      return "counter";
    case Type::gauge:
      return "gauge";
    case Type::histogram:
      return "histogram";
  }
  return "untyped";
}

using Digits = std::array<char, 32>;

std::string_view number(Digits& digits, double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  constexpr double exact = 9007199254740992;  // 2^53: so far every integer is a double.
  auto* const end = digits.data() + digits.size();
  const bool is_integer = std::abs(value) < exact && std::trunc(value) == value;
  const auto done = is_integer ? std::to_chars(digits.data(), end, static_cast<std::int64_t>(value))
                               : std::to_chars(digits.data(), end, value);
  return {digits.data(), static_cast<std::size_t>(done.ptr - digits.data())};
}

void append_escaped(std::string& out, std::string_view value) {
  if (value.find_first_of("\\\"") == std::string_view::npos) {
    out += value;
    return;
  }
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
}

void append_label(std::string& out, const Label& label) {
  out += label.name;
  out += "=\"";
  if (is_bounded_label(label.value)) {
    append_escaped(out, label.value);
  } else {
    append_escaped(out, bounded_label(label.value));
  }
  out += '"';
}

}  // namespace

void TextWriter::family(const Family& family) {
  name_ = family.name;
  out_ += "# HELP ";
  out_ += family.name;
  out_ += ' ';
  out_ += family.help;
  out_ += "\n# TYPE ";
  out_ += family.name;
  out_ += ' ';
  out_ += word_of(family.type);
  out_ += '\n';
}

void TextWriter::sample(Labels labels, double value) {
  series({}, labels, {}, value);
}

void TextWriter::histogram(Labels labels, const HistogramValue& value) {
  std::uint64_t count = 0;
  Digits digits;
  for (std::size_t i = 0; i < value.bound_count; ++i) {
    count += value.counts[i];
    series("_bucket", labels, number(digits, value.bounds[i]), static_cast<double>(count));
  }
  count += value.counts[value.bound_count];
  series("_bucket", labels, "+Inf", static_cast<double>(count));
  series("_sum", labels, {}, value.sum);
  series("_count", labels, {}, static_cast<double>(count));
}

void TextWriter::series(std::string_view suffix, Labels labels, std::string_view le, double value) {
  out_ += name_;
  out_ += suffix;
  char before = '{';
  for (const auto& label : labels) {
    out_ += before;
    append_label(out_, label);
    before = ',';
  }
  if (!le.empty()) {
    out_ += before;
    append_label(out_, {"le", le});
    before = ',';
  }
  if (before == ',') out_ += '}';
  out_ += ' ';
  Digits digits;
  out_ += number(digits, value);
  out_ += '\n';
}

}  // namespace espalier::metrics
