#include "espalier/child_main.hpp"
#include "espalier/cli/app.hpp"
#include "espalier/cli/builtins.hpp"
#include "espalier/cli/exit_codes.hpp"

#include <exception>
#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  try {
    const auto code = espalier::child_main(argc, argv, espalier::cli::builtin_factories());
    if (code) return *code;
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return espalier::cli::run_app(arguments, {std::cout, std::cerr});
  } catch (const std::exception& error) {
    std::cerr << "espalier: " << error.what() << "\n";
    return espalier::cli::exit_failed;
  }
}
