// Items that carry what has been done already: the same ones are run again, and stages that are
// done let them through untouched.
#include <espalier/pipeline.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace pipeline = espalier::pipeline;

namespace {

struct File {
  std::string name = {};
  bool is_read = false;
  bool is_sent = false;
  std::string log = {};
};

auto transfer() {
  return pipeline::from<File>()
      .stage("read",
             [](File file) {
               file.is_read = true;
               file.log += " read";
               return file;
             },
             {.skip_if = [](const File& file) { return file.is_read; }})
      .stage("send",
             [](File file) {
               file.is_sent = true;
               file.log += " sent";
               return file;
             },
             {.skip_if = [](const File& file) { return file.is_sent; }})
      .build();
}

}  // namespace

int main() {
  auto line = transfer();
  const std::vector<File> files{{"new"}, {"half", true}, {"done", true, true}};
  for (const auto& result : line.run(files))
    std::cout << result->name << ':' << result->log << '\n';
  const auto stages = line.stats();
  std::cout << "skipped: " << stages[0].skipped << " by read, " << stages[1].skipped
            << " by send\n";
}
