// A pipeline in three stages: items go through them in parallel, results come in the order of the
// input, and one bad item stops nobody.
#include <espalier/pipeline.hpp>

#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace pipeline = espalier::pipeline;

namespace {

std::string fetch(const int& number) {
  return "page " + std::to_string(number);
}

std::string check(const std::string& page) {
  if (page == "page 3") throw std::runtime_error("is not there");
  return page;
}

std::size_t measure(const std::string& page) {
  return page.size();
}

}  // namespace

int main() {
  auto pages = pipeline::from<int>()
                   .stage("fetch", fetch, {.workers = 2})
                   .stage("check", check)
                   .stage("measure", measure)
                   .build({.name = "pages"});
  for (const auto& result : pages.run({1, 2, 3, 10})) {
    if (result) {
      std::cout << "item " << result.id() << ": " << *result << '\n';
    } else {
      std::cout << "item " << result.id() << " failed at " << result.failure()->stage << ": "
                << result.failure()->message << '\n';
    }
  }

  // The same in one line, a stage for each function.
  const auto sizes = pipeline::quick(std::vector<int>{1, 10}, pipeline::tasks(fetch, measure));
  std::cout << "quick: " << *sizes[0] << ", " << *sizes[1] << '\n';
}
