#include "espalier/ipc/core/audit.hpp"

#include "espalier/ipc/wire/codec.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace espalier::ipc {
namespace {

// The record as a line, with the hash over itself and its predecessor filled in.
std::string sealed(AuditRecord& record) {
  std::string text = record.previous + '\n';
  record.hash.clear();
  encode(text, record);
  record.hash = sha256_hex(text);
  std::string line;
  encode(line, record);
  return line;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(), digest.data(), &size) !=
      1) {
    throw std::runtime_error{"OpenSSL has no SHA-256 here; the audit needs it"};
  }
  std::string hex;
  for (std::size_t i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4U];
    hex += "0123456789abcdef"[digest[i] & 15U];
  }
  return hex;
}

bool AuditRing::append(const std::string& line) {
  lines_.push_back(line);
  bytes_ += line.size();
  while (lines_.size() > 1 && (lines_.size() > capacity_ || bytes_ > max_bytes)) {
    bytes_ -= lines_.front().size();
    lines_.pop_front();
  }
  return true;
}

std::vector<std::string> AuditRing::last(std::size_t limit) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(limit, lines_.size()));
  return {lines_.end() - count, lines_.end()};
}

bool AuditLog::write(AuditRecord record) {
  record.sequence = head_.sequence + 1;
  record.previous = head_.hash;
  if (!store_.append(sealed(record))) return false;
  head_ = {record.sequence, std::move(record.hash)};
  return true;
}

std::string AuditChain::add(std::string_view line) {
  const auto json = parse_json(line);
  if (!json) return "it is no record: " + json.error();
  auto record = decode<AuditRecord>(*json, Unknown::refuse, "record");
  if (!record) return "it is no record: " + record.error();
  if (record->sequence != head_.sequence + 1) {
    return "it is record " + std::to_string(record->sequence) + " where " +
           std::to_string(head_.sequence + 1) + " was due: records are missing, repeated or moved";
  }
  if (record->previous != head_.hash) return "it does not belong after the record before it";
  // Spelled anew it must be the same text: no byte is outside the hash.
  if (sealed(*record) != line) return "the hash does not fit: the record was changed";
  head_ = {record->sequence, std::move(record->hash)};
  return {};
}

AuditVerdict verify_audit(std::string_view text) {
  AuditVerdict verdict;
  AuditChain chain;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      verdict.torn_tail = true;
      break;
    }
    if (auto problem = chain.add(text.substr(0, end)); !problem.empty()) {
      verdict.problem = "line " + std::to_string(number) + ": " + std::move(problem);
      break;
    }
    text.remove_prefix(end + 1);
  }
  verdict.records = chain.head().sequence;
  verdict.head = chain.head();
  return verdict;
}

}  // namespace espalier::ipc
