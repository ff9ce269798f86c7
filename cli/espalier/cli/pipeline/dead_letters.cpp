#include "espalier/cli/pipeline/dead_letters.hpp"

#include "espalier/cli/console.hpp"
#include "espalier/pipeline/declare/json_text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <system_error>

namespace espalier::cli {

namespace {

constexpr std::uint64_t told_at_most = 10;

std::string now_text() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> date = {};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 48> text = {};
  std::snprintf(text.data(), text.size(), "%s.%03dZ", date.data(), static_cast<int>(ms % 1000));
  return text.data();
}

std::string text_of(const pipeline::Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

bool write_all(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const auto size = ::write(fd, text.data() + done, text.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    done += static_cast<std::size_t>(size);
  }
  return true;
}

std::string DeadLetter::to_line() const {
  pipeline::Json object;
  object["id"] = id;
  if (line > 0) object["line"] = line;
  if (!stage.empty()) object["stage"] = stage;
  if (attempts > 0) object["attempts"] = attempts;
  object["kind"] = kind;
  if (!type.empty()) object["type"] = type;
  object["error"] = error;
  if (input) {
    object["input"] = *input;
  } else {
    object["text"] = text;
  }
  object["at"] = now_text();
  return pipeline::to_line(object) + "\n";
}

expected<DeadLetter, std::string> DeadLetter::parse(const std::string& line) {
  const auto parsed = pipeline::parse_json(line);
  if (!parsed) return unexpected<std::string>(parsed.error());
  if (!parsed->is_object() || (!parsed->contains("input") && !parsed->contains("text")))
    return unexpected<std::string>("it is no dead letter: it has neither input nor text");
  DeadLetter letter;
  letter.id = text_of(*parsed, "id");
  letter.stage = text_of(*parsed, "stage");
  letter.text = text_of(*parsed, "text");
  if (const auto number = parsed->find("line"); number != parsed->end() && number->is_number())
    letter.line = number->get<std::uint64_t>();
  if (const auto input = parsed->find("input"); input != parsed->end()) letter.input = *input;
  return letter;
}

expected<DeadLetterFile, std::string> DeadLetterFile::open(const std::string& path) {
  DeadLetterFile file;
  file.path_ = path;
  if (path.empty()) return expected<DeadLetterFile, std::string>(std::move(file));
  file.fd_ =
      supervisor::UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file.fd_) {
    return unexpected<std::string>("cannot write dead letters to " + path + ": " +
                                   std::generic_category().message(errno));
  }
  return expected<DeadLetterFile, std::string>(std::move(file));
}

bool DeadLetterFile::add(const DeadLetter& letter) {
  const std::lock_guard lock(mutex_);
  ++count_;
  if (fd_) return write_all(fd_.get(), letter.to_line());
  if (count_ > told_at_most) return true;
  const auto where = letter.stage.empty() ? "line " + std::to_string(letter.line)
                                          : "item " + letter.id + " at " + letter.stage;
  say(supervisor::LogFormat::text, supervisor::Severity::error, where + ": " + letter.error);
  if (count_ == told_at_most) {
    say(supervisor::LogFormat::text, supervisor::Severity::error,
        "more failures are only counted; --dead-letters PATH keeps all");
  }
  return true;
}

std::uint64_t DeadLetterFile::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace espalier::cli
