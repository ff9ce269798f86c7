#include "espalier/pipeline/build/source.hpp"

namespace espalier::pipeline::detail {

void apply_options(Item& item, ItemOptions options) {
  item.priority = options.priority;
  if (options.id.empty() && options.metadata.empty()) return;
  item.info = std::make_shared<ItemInfo>();
  item.info->id = std::move(options.id);
  item.info->metadata = std::move(options.metadata);
}

}  // namespace espalier::pipeline::detail
