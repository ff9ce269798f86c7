#include "espalier/supervisor/process/crash_trace.hpp"

#include "espalier/supervisor/os/unique_fd.hpp"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

namespace espalier::supervisor {

namespace {

/// "module(symbol+0x1c) [0x55...]" in its parts; `symbol` is empty where it is not known.
struct Frame {
  std::string module = {};
  std::string symbol = {};
  std::uint64_t offset = 0;  ///< From the symbol, or from where the module begins.
};

std::optional<Frame> parse_frame(std::string_view line) {
  const auto open = line.rfind('(');
  const auto close = line.find(')', open == std::string_view::npos ? line.size() : open);
  if (close == std::string_view::npos) return std::nullopt;
  const auto inside = line.substr(open + 1, close - open - 1);
  const auto plus = inside.rfind("+0x");
  if (plus == std::string_view::npos) return std::nullopt;
  Frame frame{std::string{line.substr(0, open)}, std::string{inside.substr(0, plus)}};
  const auto digits = inside.substr(plus + 3);
  const auto* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, frame.offset, 16);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return frame;
}

std::string demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text{
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free};
  return text ? text.get() : name;
}

std::string render(const Frame& frame) {
  char offset[32] = {};
  std::snprintf(offset, sizeof offset, "+0x%llx", static_cast<unsigned long long>(frame.offset));
  const auto name = frame.symbol.empty() ? "" : demangled(frame.symbol) + " ";
  return name + offset + " (" + std::filesystem::path{frame.module}.filename().string() + ")";
}

/// A file in memory, for reading.
class Mapping {
 public:
  explicit Mapping(const std::string& file) {
    const UniqueFd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat about = {};
    if (!fd || ::fstat(fd.get(), &about) != 0 || about.st_size <= 0) return;
    size_ = static_cast<std::size_t>(about.st_size);
    at_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  }
  ~Mapping() {
    if (at_ != MAP_FAILED) ::munmap(at_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  /// `count` objects at `offset`; empty where the file ends before them.
  template <class T>
  [[nodiscard]] std::span<const T> part(std::uint64_t offset, std::uint64_t count) const {
    if (at_ == MAP_FAILED || offset % alignof(T) != 0 || offset > size_) return {};
    if (count > (size_ - offset) / sizeof(T)) return {};
    const auto* bytes = static_cast<const char*>(at_) + offset;
    return {reinterpret_cast<const T*>(bytes), static_cast<std::size_t>(count)};
  }

 private:
  void* at_ = MAP_FAILED;
  std::size_t size_ = 0;
};

using Header = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);

std::span<const Section> sections_of(const Mapping& file) {
  const auto header = file.part<Header>(0, 1);
  const auto expected_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  if (header.empty() || std::memcmp(header[0].e_ident, ELFMAG, SELFMAG) != 0 ||
      header[0].e_ident[EI_CLASS] != expected_class || header[0].e_shentsize != sizeof(Section)) {
    return {};
  }
  return file.part<Section>(header[0].e_shoff, header[0].e_shnum);
}

void look_in(const Mapping& file, const Section& table, const Section& strings,
             std::map<std::uint64_t, FunctionAt>& found) {
  const auto names = file.part<char>(strings.sh_offset, strings.sh_size);
  for (const auto& symbol : file.part<Symbol>(table.sh_offset, table.sh_size / sizeof(Symbol))) {
    if ((symbol.st_info & 15U) != STT_FUNC || symbol.st_size == 0) continue;
    auto next = found.lower_bound(symbol.st_value);
    for (; next != found.end() && next->first - symbol.st_value < symbol.st_size; ++next) {
      if (symbol.st_name >= names.size()) continue;
      const auto* name = names.data() + symbol.st_name;
      next->second = {{name, ::strnlen(name, names.size() - symbol.st_name)}, symbol.st_value};
    }
  }
}

bool is_nameless(const Frame& frame, const std::string& program) {
  return frame.symbol.empty() && frame.module == program;
}

/// All but the innermost frame tell where they go on, which is past the end of a function whose
/// last act was a call that never returns.
std::uint64_t inside(const Frame& frame, std::size_t index) {
  return index == 0 || frame.offset == 0 ? frame.offset : frame.offset - 1;
}

}  // namespace

std::map<std::uint64_t, FunctionAt> functions_at(const std::string& file,
                                                 const std::vector<std::uint64_t>& offsets) {
  std::map<std::uint64_t, FunctionAt> found;
  for (const auto offset : offsets)
    found[offset] = {};
  const Mapping mapping{file};
  const auto sections = sections_of(mapping);
  for (const auto& table : sections) {
    if (table.sh_type != SHT_SYMTAB || table.sh_link >= sections.size()) continue;
    look_in(mapping, table, sections[table.sh_link], found);
  }
  std::erase_if(found, [](const auto& entry) { return entry.second.name.empty(); });
  return found;
}

std::vector<std::string> readable_trace(const std::vector<std::string>& lines) {
  std::error_code unknown;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  std::vector<std::optional<Frame>> frames;
  std::vector<std::uint64_t> nameless;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    frames.push_back(parse_frame(lines[i]));
    const auto& frame = frames.back();
    if (frame && is_nameless(*frame, program)) nameless.push_back(inside(*frame, i));
  }
  std::map<std::uint64_t, FunctionAt> known;
  if (!nameless.empty()) known = functions_at("/proc/self/exe", nameless);
  std::vector<std::string> result;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto& frame = frames[i];
    if (!frame) {
      result.push_back(lines[i].substr(0, lines[i].find_last_not_of('\n') + 1));
      continue;
    }
    const auto function = known.find(inside(*frame, i));
    if (is_nameless(*frame, program) && function != known.end()) {
      frame->symbol = function->second.name;
      frame->offset -= function->second.start;
    }
    result.push_back(render(*frame));
  }
  return result;
}

}  // namespace espalier::supervisor
