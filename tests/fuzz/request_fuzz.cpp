// F2: whatever a stranger sends, every answer is JSON, answers a request that was made, and only
// once; and afterwards the service is as it was.
//
// The input is a conversation, line by line. A line that begins with '!' is for this program, all
// others go to the service as they are:
//   !1 !2   go on with the first or the second connection   !w  the target publishes
//   !t      a second passes, !T ten                         !l  commands are answered later from
//   now on !f      the oldest command ends                         !n  read nothing, from now on or
//   no longer !a      the audit breaks, or works again                !e  the tree ends
#include "espalier/ipc/wire/json.hpp"
#include "fuzz/require.hpp"
#include "ipc/support/conversation.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace espalier::ipc {
namespace {

using namespace std::chrono_literals;
using testing_support::Conversation;

class Talk {
 public:
  Talk() {
    talk_.spec.security.max_line_bytes = 4096;
    talk_.spec.security.allowed_commands = {"/bin/true"};
    talk_.spec.security.write.uids = {42};
    clients_[0].id = talk_.open();
    clients_[1].id = talk_.open({.pid = 7, .uid = 42, .gid = 42});
  }

  void line(std::string_view line, bool is_whole) {
    if (line.size() >= 2 && line[0] == '!') {
      order(line[1]);
    } else {
      send(line, is_whole);
    }
    for (auto& client : clients_)
      read(client);
  }

  // What waits comes to its end; then everything has been answered, and nothing is left behind.
  void end() {
    while (talk_.finish()) {
    }
    reads_ = true;
    for (auto& client : clients_)
      read(client);
    for (auto& client : clients_) {
      if (talk_.is_closed(client.id)) continue;
      int unanswered = 0;
      for (const auto& [id, count] : client.open)
        unanswered += count;
      require(unanswered <= client.anonymous,
              "every request of a connection that lives is answered");
      talk_.close(client.id);
    }
    require(talk_.service().connections() == 0, "no connection is left");
    talk_.wake();
    require(!talk_.target.watches_events && !talk_.target.watches_lines,
            "without a connection nothing is watched");
  }

 private:
  struct Client {
    ConnectionId id = 0;
    std::map<std::string, int> open = {};  // Requests by id, as JSON text, that wait for an answer.
    int anonymous = 0;                     // Refusals of what had no id that can be echoed.
  };

  void order(char what) {
    switch (what) {
      case '1':
        now_ = 0;
        break;
      case '2':
        now_ = 1;
        break;
      case 't':
        talk_.advance(1s);
        break;
      case 'T':
        talk_.advance(10s);
        break;
      case 'w':
        publish();
        break;
      case 'l':
        later();
        break;
      case 'f':
        static_cast<void>(talk_.finish());
        break;
      case 'n':
        reads_ = !reads_;
        break;
      case 'a':
        talk_.audit.works = !talk_.audit.works;
        break;
      case 'e':
        talk_.end("a signal");
        break;
      default:
        break;
    }
  }

  void publish() {
    talk_.target.write("/db", LogStream::out, "a line of output");
    talk_.target.change("/api", supervisor::ChildPhase::starting);
    talk_.wake();
  }

  void later() {
    for (const auto* kind :
         {"add_child", "remove_child", "start_child", "stop_child", "restart_child", "pause_child",
          "resume_child", "quarantine_child", "scale_pool", "reload", "shutdown_tree"}) {
      talk_.target.reply(kind, testing_support::FakeTarget::Reply::later);
    }
  }

  void send(std::string_view line, bool is_whole) {
    auto& client = clients_[now_];
    if (talk_.is_closed(client.id)) return;
    rest_[now_] += line;
    if (is_whole) {
      const auto json = parse_json(rest_[now_]);
      if (json && json->is_object() && json->contains("request_id")) {
        ++client.open[(*json)["request_id"].dump()];
      }
      rest_[now_].clear();
    }
    talk_.feed(client.id, std::string{line} + (is_whole ? "\n" : ""));
  }

  void read(Client& client) {
    if (!reads_) return;
    for (const auto& line : talk_.take(client.id))
      check(client, line);
  }

  static void check(Client& client, const std::string& line) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    require(json.is_object(), "what is sent is a JSON object", line);
    if (json.contains("type")) {
      require(!json.contains("request_id"), "a pushed line answers no request", line);
      return;
    }
    require(json.contains("request_id") && json.contains("ok"), "an answer says so", line);
    const bool ok = json["ok"].get<bool>();
    require(json.contains(ok ? "result" : "error"), "an answer has a result or an error", line);
    if (json["request_id"].is_null()) {
      require(!ok, "only a refusal answers no request", line);
      ++client.anonymous;
      return;
    }
    auto& open = client.open[json["request_id"].dump()];
    require(open > 0, "an answer has its request, and only one", line);
    --open;
  }

  Conversation talk_ = {};
  std::array<Client, 2> clients_ = {};
  std::array<std::string, 2> rest_ = {};
  std::size_t now_ = 0;
  bool reads_ = true;
};

void run(std::string_view input) {
  Talk talk;
  while (!input.empty()) {
    const auto end = input.find('\n');
    const bool is_whole = end != std::string_view::npos;
    talk.line(input.substr(0, end), is_whole);
    input.remove_prefix(is_whole ? end + 1 : input.size());
  }
  talk.end();
}

}  // namespace
}  // namespace espalier::ipc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  espalier::ipc::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
