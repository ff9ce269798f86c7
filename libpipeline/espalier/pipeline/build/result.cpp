#include "espalier/pipeline/build/result.hpp"

#include <stdexcept>

namespace espalier::pipeline::detail {

std::string item_id(const ItemInfo* info, ItemSeq seq) {
  return info && !info->id.empty() ? info->id : std::to_string(seq);
}

const Metadata& item_metadata(const ItemInfo* info) {
  static const Metadata none;
  return info ? info->metadata : none;
}

void throw_failure(const Failure& failure) {
  if (failure.error) std::rethrow_exception(failure.error);
  std::string text = failure.message.empty() ? "failed" : failure.message;
  if (!failure.stage.empty()) text = "stage '" + failure.stage + "': " + text;
  throw std::runtime_error(text);
}

void throw_no_value(const std::string& id) {
  throw std::logic_error("item '" + id +
                         "' ended without a value: a filter left it out, or a sink took it; ask "
                         "the result first whether it has one");
}

void throw_no_failure(const std::string& id) {
  throw std::logic_error("item '" + id + "' did not fail, so there is nothing to throw");
}

}  // namespace espalier::pipeline::detail
