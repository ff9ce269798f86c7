#include "espalier/metrics/process_figures.hpp"

#include "espalier/supervisor/os/read_file.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <sstream>
#include <vector>

namespace espalier::metrics {

namespace {

enum Name : std::size_t {
  cpu,
  resident,
  virtual_memory,
  open_fds,
  max_fds,
  threads,
  start_time,
  build_info,
};

constexpr std::array<Family, build_info + 1> all = {{
    {"process_cpu_seconds_total", "Processor time of the program, without its children.",
     Type::counter, ""},
    {"process_resident_memory_bytes", "Memory of the program in RAM.", Type::gauge, ""},
    {"process_virtual_memory_bytes", "Address space of the program.", Type::gauge, ""},
    {"process_open_fds", "Descriptors the program has open.", Type::gauge, ""},
    {"process_max_fds", "Descriptors the program may open.", Type::gauge, ""},
    {"process_threads", "Threads of the program.", Type::gauge, ""},
    {"process_start_time_seconds", "When the program started, since 1970.", Type::gauge, ""},
    {"espalier_build_info", "1; the labels say which build this is.", Type::gauge,
     "version,compiler"},
}};

constexpr std::size_t largest_file = 64UL << 10U;

/// The fields of /proc/self/stat after the name, which may contain anything.
std::vector<std::string> stat_fields() {
  const auto text = supervisor::read_file("/proc/self/stat", largest_file);
  const auto name_end = text ? text->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text->substr(name_end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;)
    fields.push_back(std::move(field));
  return fields;
}

// Numbers as in proc(5), where the state, the first after the name, is number 3.
constexpr std::size_t first_field = 3;
constexpr std::size_t utime_field = 14;
constexpr std::size_t stime_field = 15;
constexpr std::size_t threads_field = 20;
constexpr std::size_t start_field = 22;
constexpr std::size_t vsize_field = 23;
constexpr std::size_t rss_field = 24;

double field(const std::vector<std::string>& fields, std::size_t number) {
  return std::stod(fields[number - first_field]);
}

std::optional<double> boot_time() {
  const auto text = supervisor::read_file("/proc/stat", 1UL << 20U);
  const auto at = text ? text->find("\nbtime ") : std::string::npos;
  if (at == std::string::npos) return {};
  return std::stod(text->substr(at + 7, 20));
}

std::optional<double> count_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder{::opendir("/proc/self/fd"), ::closedir};
  if (!folder) return {};
  double count = -1;  // The folder itself.
  while (const auto* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count;
}

void write_stat(Writer& to, const std::vector<std::string>& fields) {
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const auto one = [&](Name name, double value) {
    to.family(all[name]);
    to.sample({}, value);
  };
  one(cpu, (field(fields, utime_field) + field(fields, stime_field)) / ticks);
  one(resident, field(fields, rss_field) * page);
  one(virtual_memory, field(fields, vsize_field));
  one(threads, field(fields, threads_field));
  if (const auto booted = boot_time())
    one(start_time, *booted + field(fields, start_field) / ticks);
}

}  // namespace

void ProcessFigures::write(Writer& to) const {
  const auto fields = stat_fields();
  if (fields.size() > rss_field - first_field) write_stat(to, fields);
  if (const auto count = count_descriptors()) {
    to.family(all[open_fds]);
    to.sample({}, *count);
  }
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    to.family(all[max_fds]);
    to.sample({}, static_cast<double>(limit.rlim_cur));
  }
  to.family(all[build_info]);
  to.sample({{"version", version_}, {"compiler", compiler_}}, 1);
}

std::span<const Family> ProcessFigures::families() {
  return all;
}

}  // namespace espalier::metrics
