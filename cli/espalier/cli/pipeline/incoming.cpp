#include "espalier/cli/pipeline/incoming.hpp"

#include "espalier/pipeline/declare/json_text.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace espalier::cli {
namespace pl = espalier::pipeline;
namespace {

/// The words of dead letters; the manual lists them.
const char* word_of(pl::Failure::Kind kind) {
  switch (kind) {
    case pl::Failure::Kind::thrown:
      return "failed";
    case pl::Failure::Kind::timed_out:
      return "timed_out";
    case pl::Failure::Kind::circuit_open:
      return "circuit_open";
    case pl::Failure::Kind::refused:
      return "refused";
    case pl::Failure::Kind::cancelled:
      return "cancelled";
  }
  return "failed";
}

std::string metadata_of(const pl::Item& item, const char* name) {
  if (!item.info) return {};
  for (const auto& [key, value] : item.info->metadata) {
    if (key == name) return value;
  }
  return {};
}

std::int32_t priority_of(const pl::Json& value, const std::string& field) {
  const auto* found = field.empty() ? nullptr : pl::field_in(value, field);
  if (found == nullptr || !found->is_number_integer()) return pl::default_priority;
  using Limits = std::numeric_limits<std::int32_t>;
  if (found->is_number_unsigned())
    return static_cast<std::int32_t>(
        std::min<std::uint64_t>(found->get<std::uint64_t>(), Limits::max()));
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(found->get<std::int64_t>(), Limits::min(), Limits::max()));
}

expected<std::string, std::string> id_in(const pl::Json& value, const std::string& field) {
  const auto* id = pl::field_in(value, field);
  if (id == nullptr || id->is_null() || id->is_structured())
    return unexpected<std::string>("it has no " + field + ", which is to be its id");
  auto text = id->is_string() ? id->get<std::string>() : pl::to_line(*id);
  if (text.empty())
    return unexpected<std::string>("its " + field + ", which is to be its id, is empty");
  return expected<std::string, std::string>(std::move(text));
}

}  // namespace

expected<Incoming, std::string> read_incoming(const ItemLines::Line& line,
                                              const std::string& id_field) {
  if (line.too_long) {
    return unexpected<std::string>("the line is longer than " +
                                   std::to_string(ItemLines::longest >> 20U) + " MiB");
  }
  const auto number = std::to_string(line.number);
  auto value = pl::parse_json(line.text);
  if (!value) return unexpected<std::string>("line " + number + ": " + value.error());
  auto id = id_field.empty() ? expected<std::string, std::string>(number) : id_in(*value, id_field);
  if (!id) return unexpected<std::string>("line " + number + ": " + id.error());
  return expected<Incoming, std::string>(Incoming{std::move(*id), line.number, std::move(*value)});
}

DeadLetter letter_of_line(const ItemLines::Line& line, const std::string& why) {
  DeadLetter letter;
  letter.id = std::to_string(line.number);
  letter.line = line.number;
  letter.kind = "refused";
  letter.error = why;
  letter.text = line.text;
  return letter;
}

pl::Item make_item(Incoming incoming, const std::string& stage, const std::string& priority_field) {
  pl::Item item;
  item.info = std::make_shared<pl::ItemInfo>();
  item.info->id = std::move(incoming.id);
  // For a dead letter of an item whose command did not give it back in time.
  item.info->metadata.emplace_back("fed", pl::to_line(incoming.value));
  item.info->metadata.emplace_back("stage", stage);
  if (incoming.line > 0) item.info->metadata.emplace_back("line", std::to_string(incoming.line));
  item.priority = priority_of(incoming.value, priority_field);
  item.value = pl::Value::of<pl::Json>(std::move(incoming.value));
  return item;
}

std::string id_of(const pl::Item& item) {
  return item.info && !item.info->id.empty() ? item.info->id : std::to_string(item.seq);
}

DeadLetter letter_of(const pl::Item& item) {
  DeadLetter letter;
  letter.id = id_of(item);
  if (const auto line = metadata_of(item, "line"); !line.empty()) letter.line = std::stoull(line);
  const auto& failure = *item.failure;
  letter.stage = failure.stage;
  letter.attempts = failure.attempts;
  letter.kind = word_of(failure.kind);
  letter.type = failure.type;
  letter.error = failure.message;
  const auto& input = failure.input.has_value() ? failure.input : item.value;
  if (input.has_value() && input.type() == typeid(pl::Json)) {
    letter.input = input.as<pl::Json>();
  } else if (const auto fed = metadata_of(item, "fed"); !fed.empty()) {
    // Still in the hands of its command: what it came in with, to begin from there.
    letter.input = pl::Json::parse(fed);
    letter.error = "at " + failure.stage + ": " + failure.message;
    letter.stage = metadata_of(item, "stage");
  }
  return letter;
}

}  // namespace espalier::cli
