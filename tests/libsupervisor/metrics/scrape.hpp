#pragma once

#include "espalier/metrics/text_writer.hpp"

#include <map>
#include <sstream>
#include <string>

namespace espalier::metrics::testing {

/// The series of a text, as `name{a="b"}` and value; comments are left out.
inline std::map<std::string, std::string> series_of(const std::string& text) {
  std::map<std::string, std::string> result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto space = line.rfind(' ');
    result[line.substr(0, space)] = line.substr(space + 1);
  }
  return result;
}

inline std::string text_of(const Source& source) {
  std::string text;
  TextWriter writer{text};
  source.write(writer);
  return text;
}

inline std::map<std::string, std::string> scrape(const Source& source) {
  return series_of(text_of(source));
}

/// The value of a series; "none" where there is no such series.
inline std::string value_of(const Source& source, const std::string& series) {
  const auto all = scrape(source);
  const auto found = all.find(series);
  return found == all.end() ? "none" : found->second;
}

}  // namespace espalier::metrics::testing
