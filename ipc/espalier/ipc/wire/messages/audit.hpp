#pragma once

#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::ipc {

struct AuditQueryParams {
  std::optional<std::uint64_t> limit = {};
  static void describe(auto& self, auto& visit) {
    visit("limit", self.limit, "At most so many of the last, 1 to 1000; 100.");
  }
};

struct AuditPage {
  std::vector<RawJson> records = {};
  static void describe(auto& self, auto& visit) {
    visit("records", self.records, "Oldest first; as audit_record in ipc.schema.json says.");
  }
};

/// One record; the hash is over the line with `hash` left out, see docs/ipc.md.
struct AuditRecord {
  std::uint64_t sequence = 0;
  Timestamp at = {};
  std::int64_t pid = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::string method = {};
  std::optional<std::string> request_id = {};
  std::optional<std::string> command_id = {};
  std::optional<std::string> path = {};
  std::optional<std::string> requested_by = {};
  std::optional<std::string> reason = {};
  std::string decision = {};
  std::string control = {};
  std::optional<std::string> detail = {};
  std::string previous = {};
  std::string hash = {};
  static void describe(auto& self, auto& visit) {
    visit("sequence", self.sequence, "From 1, without a gap.");
    visit("at", self.at, "When.");
    visit("pid", self.pid, "Of the peer, from the kernel.");
    visit("uid", self.uid, "Of the peer, from the kernel.");
    visit("gid", self.gid, "Of the peer, from the kernel.");
    visit("method", self.method, "What was asked for; empty: nothing yet.");
    visit("request_id", self.request_id, "As the client gave it.");
    visit("command_id", self.command_id, "Of a command.");
    visit("path", self.path, "What it was about.");
    visit("requested_by", self.requested_by, "Who, as the client says.");
    visit("reason", self.reason, "Why, as the client says.");
    visit("decision", self.decision,
          "accepted, refused, completed, rejected, timed_out, left_out.");
    visit(
        "control", self.control,
        "Stage that refused it; `execution` for what was done, `delivery` for what was left out.");
    visit("detail", self.detail, "Code of the refusal, or what was done.");
    visit("previous", self.previous, "Hash of the record before; of the first: 64 zeros.");
    visit("hash", self.hash, "SHA-256 in hex.");
  }
};

}  // namespace espalier::ipc
