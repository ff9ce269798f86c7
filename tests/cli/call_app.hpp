#pragma once

#include "espalier/cli/app.hpp"

#include <sstream>
#include <string>
#include <vector>

namespace espalier::cli {

struct Outcome {
  int code = -1;
  std::string out = {};
  std::string err = {};
};

/// The program in this process, with these arguments.
inline Outcome call(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_app(arguments, {out, err});
  return {code, out.str(), err.str()};
}

}  // namespace espalier::cli
