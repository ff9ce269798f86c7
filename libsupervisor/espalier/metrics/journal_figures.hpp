#pragma once

#include "espalier/metrics/writer.hpp"
#include "espalier/supervisor/observe/journal_file.hpp"

#include <memory>
#include <span>
#include <utility>

namespace espalier::metrics {

/// How the journal on disk fares. Any thread; holds the journal weakly, and once it is closed tells
/// nothing more of it. Cost: three numbers.
class JournalFigures final : public Source {
 public:
  explicit JournalFigures(std::weak_ptr<const supervisor::JournalFile> journal)
      : journal_(std::move(journal)) {}
  void write(Writer& to) const override;

  /// All that `write` tells.
  [[nodiscard]] static std::span<const Family> families();

 private:
  std::weak_ptr<const supervisor::JournalFile> journal_;
};

}  // namespace espalier::metrics
