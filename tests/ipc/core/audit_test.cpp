#include "espalier/ipc/core/audit.hpp"

#include "espalier/ipc/wire/codec.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FailingStore final : public AuditStore {
 public:
  bool append(const std::string& line) override {
    if (full) return false;
    lines.push_back(line);
    return true;
  }
  std::vector<std::string> last(std::size_t) override { return lines; }
  bool full = false;
  std::vector<std::string> lines = {};
};

AuditRecord record_of(int number) {
  return {.at = Timestamp{1'700'000'000s + number * 1us},
          .pid = 4711,
          .uid = 1000,
          .gid = 100,
          .method = "command.restart_child",
          .request_id = std::to_string(number),
          .path = "/pump",
          .requested_by = "anna",
          .reason = "line\nbreak, \"quotes\", \x1b[31m, \xff and \xc3\xa9",
          .decision = "completed",
          .control = "execution"};
}

std::vector<std::string> chain_of(int count) {
  FailingStore store;
  AuditLog log{store};
  for (int i = 0; i < count; ++i)
    EXPECT_TRUE(log.write(record_of(i)));
  return store.lines;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines)
    text += line + '\n';
  return text;
}

std::string problem_of(const std::vector<std::string>& lines) {
  return verify_audit(text_of(lines)).problem;
}

TEST(sha256, is_sha256) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(audit_log, numbers_its_records_and_chains_them) {
  const auto lines = chain_of(3);
  const auto first = decode<AuditRecord>(*parse_json(lines.at(0)), Unknown::refuse);
  const auto second = decode<AuditRecord>(*parse_json(lines.at(1)), Unknown::refuse);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->sequence, 1U);
  EXPECT_EQ(first->previous, std::string(64, '0'));
  EXPECT_EQ(second->sequence, 2U);
  EXPECT_EQ(second->previous, first->hash);
}

// As docs/ipc.md tells it to whoever writes a checker of their own.
TEST(audit_log, the_hash_is_over_the_previous_one_and_the_line_with_an_empty_hash) {
  const auto lines = chain_of(1);
  const auto& line = lines.at(0);
  const auto at = line.rfind(R"("hash":")") + 8;
  const auto bare = line.substr(0, at) + line.substr(at + 64);
  EXPECT_EQ(line.substr(at, 64), sha256_hex(std::string(64, '0') + "\n" + bare));
}

TEST(audit_log, goes_on_where_an_older_chain_ended) {
  auto lines = chain_of(2);
  FailingStore store;
  AuditLog log{store, verify_audit(text_of(lines)).head};
  EXPECT_TRUE(log.write(record_of(3)));
  lines.push_back(store.lines.at(0));
  EXPECT_THAT(problem_of(lines), IsEmpty());
}

TEST(audit_log, a_store_that_fails_leaves_the_chain_as_it_was) {
  FailingStore store;
  AuditLog log{store};
  for (int i = 0; i < 20; ++i) {
    store.full = i % 3 == 1;
    EXPECT_EQ(log.write(record_of(i)), !store.full);
  }
  EXPECT_THAT(problem_of(store.lines), IsEmpty());
  EXPECT_EQ(log.head().sequence, store.lines.size());
}

TEST(verify_audit, says_how_many_and_where_the_chain_ends) {
  const auto verdict = verify_audit(text_of(chain_of(5)));
  EXPECT_THAT(verdict.problem, IsEmpty());
  EXPECT_EQ(verdict.records, 5U);
  EXPECT_EQ(verdict.head.sequence, 5U);
  EXPECT_FALSE(verdict.torn_tail);
  EXPECT_EQ(verify_audit("").records, 0U);
}

TEST(verify_audit, any_changed_byte_of_any_record_is_found) {
  const auto text = text_of(chain_of(3));
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const unsigned bit : {1U, 4U, 32U, 128U}) {
      auto changed = text;
      changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ bit);
      const auto verdict = verify_audit(changed);
      // The last byte is the end of the last line: without it the line counts as torn.
      const bool found = !verdict.problem.empty() || (i + 1 == text.size() && verdict.torn_tail);
      ASSERT_TRUE(found) << "byte " << i << " bit " << bit;
    }
  }
}

TEST(verify_audit, a_byte_more_or_less_is_found) {
  const auto text = text_of(chain_of(2));
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    ASSERT_NE(verify_audit(std::string{text}.erase(i, 1)).problem, "") << "without byte " << i;
    for (const char c : {' ', '0', '\n', '\r'}) {
      ASSERT_NE(verify_audit(std::string{text}.insert(i, 1, c)).problem, "") << "more at " << i;
    }
  }
}

TEST(verify_audit, the_same_record_in_another_spelling_is_found) {
  auto lines = chain_of(1);
  lines[0].replace(lines[0].find("/pump"), 5, R"(\u002fpump)");
  EXPECT_THAT(problem_of(lines), HasSubstr("line 1: the hash does not fit"));
}

TEST(verify_audit, a_removed_repeated_or_moved_record_is_found) {
  const auto lines = chain_of(6);
  for (std::ptrdiff_t i = 0; i + 1 < 6; ++i) {
    auto removed = lines;
    removed.erase(removed.begin() + i);
    EXPECT_THAT(problem_of(removed), HasSubstr("line " + std::to_string(i + 1) + ":"));
    auto repeated = lines;
    repeated.insert(repeated.begin() + i, lines[static_cast<std::size_t>(i)]);
    EXPECT_THAT(problem_of(repeated), HasSubstr("line " + std::to_string(i + 2) + ":"));
    auto swapped = lines;
    std::swap(swapped[static_cast<std::size_t>(i)], swapped[static_cast<std::size_t>(i) + 1]);
    EXPECT_THAT(problem_of(swapped), HasSubstr("line " + std::to_string(i + 1) + ":"));
  }
}

TEST(verify_audit, a_record_sealed_anew_breaks_the_chain_after_it) {
  auto lines = chain_of(3);
  auto record = *decode<AuditRecord>(*parse_json(lines.at(1)), Unknown::refuse);
  FailingStore store;
  AuditLog forger{store, {record.sequence - 1, record.previous}};
  record.requested_by = "somebody else";
  EXPECT_TRUE(forger.write(record));
  lines[1] = store.lines.at(0);
  EXPECT_THAT(problem_of(lines), HasSubstr("line 3: it does not belong after"));
}

// Hashes that fit do not make up for a wrong number: the numbers say how many records there are.
TEST(verify_audit, a_record_with_a_wrong_number_is_found_though_it_is_well_sealed) {
  for (const std::uint64_t number : {1U, 2U, 4U, 1000U}) {
    FailingStore store;
    AuditLog log{store};
    EXPECT_TRUE(log.write(record_of(0)) && log.write(record_of(1)));
    AuditLog forger{store, {number - 1, log.head().hash}};
    EXPECT_TRUE(forger.write(record_of(2)));
    EXPECT_THAT(problem_of(store.lines),
                HasSubstr("line 3: it is record " + std::to_string(number) + " where 3 was due"));
  }
}

TEST(verify_audit, a_torn_tail_is_told_and_does_not_count) {
  const auto text = text_of(chain_of(2));
  const auto first = text.find('\n') + 1;
  for (auto end = first + 1; end < text.size(); ++end) {
    const auto verdict = verify_audit(std::string_view{text}.substr(0, end));
    ASSERT_THAT(verdict.problem, IsEmpty());
    ASSERT_TRUE(verdict.torn_tail);
    ASSERT_EQ(verdict.records, 1U);
  }
}

TEST(verify_audit, what_is_no_audit_is_told) {
  for (const auto* text : {"\n", "hello\n", "{}\n", "[]\n", "{\"sequence\":1}\n"}) {
    EXPECT_THAT(verify_audit(text).problem, HasSubstr("line 1: it is no record")) << text;
  }
}

TEST(audit_ring, keeps_the_last_ones) {
  AuditRing ring{3};
  for (const auto* line : {"a", "b", "c", "d"})
    EXPECT_TRUE(ring.append(line));
  EXPECT_THAT(ring.last(10), ElementsAre("b", "c", "d"));
  EXPECT_THAT(ring.last(2), ElementsAre("c", "d"));
  EXPECT_THAT(ring.last(0), IsEmpty());
}

TEST(audit_ring, is_bounded_in_bytes_too) {
  AuditRing ring{1000};
  const std::string large(1UL << 20U, 'x');
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(ring.append(large));
  EXPECT_EQ(ring.last(1000).size(), 4U);
}

}  // namespace
}  // namespace espalier::ipc
