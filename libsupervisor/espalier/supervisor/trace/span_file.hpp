#pragma once

#include "espalier/supervisor/os/unique_fd.hpp"
#include "espalier/supervisor/trace/span_outlet.hpp"

#include <cstdint>
#include <string>

namespace espalier::supervisor {

/// A file of requests, one a line, as a collector's file receiver reads them. Grown to its bound it
/// becomes FILE.1, in place of an older one. One that somebody moved away or removed is begun anew.
/// A line is there as a whole or not at all, but where power is lost. Not thread-safe.
class SpanFile {
 public:
  SpanFile(std::string path, std::uint64_t max_bytes)
      : path_(std::move(path)), max_bytes_(max_bytes) {}
  [[nodiscard]] SpanOutlet::Outcome append(const std::string& request);

 private:
  /// The error; empty: it is open and the line fits.
  [[nodiscard]] std::string make_ready(std::uint64_t bytes);
  [[nodiscard]] bool is_ours() const;
  [[nodiscard]] std::string open();

  std::string path_;
  std::uint64_t max_bytes_;
  std::uint64_t size_ = 0;
  UniqueFd fd_ = {};
};

}  // namespace espalier::supervisor
