// Runs a fuzzer's function on files and folders of files, without a fuzzer.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::size_t replay(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);  // Should it abort, the last name is the culprit.
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (const std::string& name : std::vector<std::string>(argv + 1, argv + argc)) {
    if (!std::filesystem::is_directory(name)) {
      count += replay(name);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator{name})
      count += replay(entry);
  }
  std::printf("%zu inputs\n", count);
  return count == 0 ? 1 : 0;
}
