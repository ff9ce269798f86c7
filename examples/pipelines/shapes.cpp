// More than a line: filter, flat_map, split, broadcast, batch and a sink.
#include <espalier/pipeline.hpp>

#include <atomic>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace pipeline = espalier::pipeline;

namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;)
    words.push_back(word);
  return words;
}

}  // namespace

int main() {
  std::atomic<int> short_ones = 0;
  auto text = pipeline::from<std::string>()
                  .filter("not empty", [](const std::string& line) { return !line.empty(); })
                  .flat_map("words", words_of)
                  .split(
                      "by length", [](const std::string& word) { return word.size() > 3 ? 0 : 1; },
                      pipeline::from<std::string>().stage(
                          "long", [](const std::string& word) { return word.size(); }),
                      pipeline::from<std::string>().sink("short",
                                                         [&](const std::string&) { ++short_ones; }))
                  .batch("pairs", {.count = 2})
                  .stage("sum",
                         [](const std::vector<std::size_t>& pair) {
                           std::size_t sum = 0;
                           for (const auto length : pair)
                             sum += length;
                           return sum;
                         })
                  .build({.name = "text"});
  std::size_t letters = 0;
  std::size_t batches = 0;
  for (const auto& result : text.run({"", "the gardener trains a tree", "along the frame"})) {
    if (!result) continue;
    letters += *result;
    ++batches;
  }
  std::cout << letters << " letters in " << batches << " batches of long words, " << short_ones
            << " short words\n";

  auto both =
      pipeline::from<int>()
          .broadcast("copies",
                     pipeline::from<int>().stage("plus", [](const int& x) { return x + 1; }),
                     pipeline::from<int>().stage("times", [](const int& x) { return x * 9; }))
          .build();
  for (const auto& result : both.run({4}))
    std::cout << "item " << result.id() << ": " << *result << '\n';
}
