#include "espalier/ipc/wire/schema.hpp"

#include "espalier/ipc/wire/codec.hpp"
#include "espalier/ipc/wire/internal/all_messages.hpp"
#include "espalier/ipc/wire/methods.hpp"
#include "libsupervisor/observe/one_of_each.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace espalier::ipc {
namespace {

const std::string root = ESPALIER_SOURCE_DIR;

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

void expect_in_step(const std::string& name, const std::string& rendered) {
  const auto path = root + "/docs/schema/" + name;
  if (std::getenv("ESPALIER_REGENERATE")) std::ofstream{path} << rendered;
  EXPECT_TRUE(read_file(path) == rendered)
      << path << " is not what the program would write; run this test with ESPALIER_REGENERATE=1";
}

TEST(Schema, CheckedInFilesAreUpToDate) {
  expect_in_step("ipc.schema.json", render_ipc_schema());
  expect_in_step("event.schema.json", render_event_schema());
}

TEST(Schema, EveryMessageThatIsDescribedIsInIt) {
  const auto wire = root + "/ipc/espalier/ipc/wire/";
  std::vector<std::string> headers{wire + "snapshot.hpp"};
  for (const auto& entry : std::filesystem::directory_iterator{wire + "messages"})
    headers.push_back(entry.path().string());
  std::size_t described = 0;
  for (const auto& header : headers) {
    const auto text = read_file(header);
    for (auto at = text.find("static void describe("); at != std::string::npos;
         at = text.find("static void describe(", at + 1)) {
      ++described;
    }
  }
  std::size_t listed = 0;
  internal::for_each_message([&]<Message T>(const char*) { ++listed; });
  EXPECT_EQ(listed, described) << "internal/all_messages.hpp is not complete";
}

// Every "#/$defs/..." in a document.
void collect_refs(const Json& json, std::set<std::string>& refs) {
  if (json.is_object() && json.contains("$ref")) refs.insert(json["$ref"].get<std::string>());
  if (!json.is_structured()) return;
  for (const auto& element : json)
    collect_refs(element, refs);
}

TEST(Schema, EveryReferenceLeadsSomewhere) {
  for (const auto& text : {render_ipc_schema(), render_event_schema()}) {
    const auto document = Json::parse(text);
    std::set<std::string> refs;
    collect_refs(document, refs);
    EXPECT_GT(refs.size(), 5u);
    for (const auto& ref : refs) {
      if (ref == "event.schema.json") continue;
      ASSERT_TRUE(ref.starts_with("#/")) << ref;
      EXPECT_TRUE(document.contains(Json::json_pointer(ref.substr(1)))) << ref;
    }
  }
}

TEST(Schema, EveryMethodHasItsRow) {
  const auto table = Json::parse(render_ipc_schema())["x-methods"];
  EXPECT_EQ(table.size(), methods().size() + relay_methods().size());
  for (const auto& method : methods())
    EXPECT_TRUE(table.contains(std::string(method.name))) << method.name;
}

TEST(Schema, OneMessageReadsLikeThis) {
  EXPECT_EQ(schema_of<StateSubscribeParams>("Following a state").dump(),
            R"({"title":"Following a state","type":"object","properties":{)"
            R"("path":{"type":"string","description":"The node to begin with; left out: the )"
            R"(root."},"depth":{"type":"integer","minimum":0,"maximum":9007199254740991,)"
            R"("description":"Levels below it; left out: all."},"include":{"type":"array",)"
            R"("items":{"type":"string"},"description":"More to tell: `resources`."},)"
            R"("interval_ms":{"type":"integer","minimum":0,"maximum":9007199254740991,)"
            R"("description":"Least time between two lines, 50 to 3600000; 1000."},)"
            R"("mode":{"enum":["snapshot","delta"],"description":"snapshot (left out) or )"
            R"(delta."}},"additionalProperties":false})");
}

TEST(Schema, EveryEventTypeIsDescribedAndNoOther) {
  std::set<std::string> words;
  for (const auto& body : sv::one_of_each())
    words.insert(sv::type_name(body));
  const auto types = Json::parse(render_event_schema())["properties"]["type"]["enum"];
  EXPECT_EQ((std::set<std::string>(types.begin(), types.end())), words);
}

}  // namespace
}  // namespace espalier::ipc
