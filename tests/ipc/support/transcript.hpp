#pragma once

#include "ipc/support/conversation.hpp"

#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace espalier::ipc::testing_support {

/// Plays a conversation from a text and writes down what really happens.
///
///     # a comment
///     @ set requests_per_second=5        before the first peer: a setting of the socket
///     @ peer [NAME] uid=1000 gid=1000    another connection, used from now on
///     @ use NAME                         back to that one
///     > {...}                            a request; after >! one that is wrong on purpose
///     < {...}                            what comes back
///     @ closed                           the service has closed the connection
///     @ ran restart_child /db            the tree was given this command
///     @ +5000                            milliseconds pass
///     @ reply restart_child later|never|at_once [ERROR_CODE message]
///     @ finish                           the oldest command that waits is done
///     @ change /db stopping              a node does
///     @ write /db text                   a child writes a line
///     @ keep 2 2                         so many events and lines are kept
///     @ bytes 5000 x                     so many of that letter, without a newline
///     @ audit broken|works
///     @ close | @ end REASON
///
/// "<", "@ closed" and "@ ran" lines are answers, all others are played.
class Transcript {
 public:
  [[nodiscard]] static bool is_answer(const std::string& line) {
    return line.starts_with("< ") || line.starts_with("@ closed") || line.starts_with("@ ran ");
  }

  /// The text as it should stand there.
  std::string play(const std::string& text) {
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
      if (is_answer(line)) continue;
      out_ += line + "\n";
      if (line.starts_with(">! ")) feed(line.substr(3) + "\n");
      if (line.starts_with("> ")) feed(line.substr(2) + "\n");
      if (line.starts_with("@ ")) act(line.substr(2));
      tell();
    }
    return out_;
  }
  [[nodiscard]] Conversation& conversation() { return talk_; }

 private:
  void feed(const std::string& bytes) { talk_.feed(current_, bytes); }

  void act(const std::string& what) {
    std::istringstream words{what};
    std::string verb, rest;
    words >> verb;
    std::getline(words >> std::ws, rest);
    if (verb.starts_with('+')) {
      talk_.advance(std::chrono::milliseconds{std::stol(verb.substr(1))});
    } else if (const auto known = verbs().find(verb); known != verbs().end()) {
      (this->*known->second)(rest);
    } else {
      throw std::invalid_argument{"no such directive: @ " + what};
    }
  }

  using Verb = void (Transcript::*)(const std::string&);
  static const std::map<std::string, Verb>& verbs() {
    static const std::map<std::string, Verb> all{
        {"set", &Transcript::set},       {"peer", &Transcript::peer},
        {"use", &Transcript::use},       {"reply", &Transcript::reply},
        {"finish", &Transcript::finish}, {"change", &Transcript::change},
        {"write", &Transcript::write},   {"keep", &Transcript::keep},
        {"bytes", &Transcript::bytes},   {"audit", &Transcript::audit},
        {"close", &Transcript::close},   {"end", &Transcript::end},
    };
    return all;
  }

  static std::uint32_t number(const std::string& text) {
    return static_cast<std::uint32_t>(std::stoul(text));
  }

  void set(const std::string& rest) {
    const auto at = rest.find('=');
    const auto name = rest.substr(0, at), value = rest.substr(at + 1);
    auto& rules = talk_.spec.security;
    const std::map<std::string, std::function<void()>> fields{
        {"read", [&] { rules.read.uids.push_back(number(value)); }},
        {"write", [&] { rules.write.uids.push_back(number(value)); }},
        {"dangerous", [&] { rules.dangerous.gids.push_back(number(value)); }},
        {"max_line_bytes", [&] { rules.max_line_bytes = number(value); }},
        {"requests_per_second", [&] { rules.requests_per_second = std::stod(value); }},
        {"request_burst", [&] { rules.request_burst = number(value); }},
        {"uid_requests_per_second", [&] { rules.uid_requests_per_second = std::stod(value); }},
        {"uid_request_burst", [&] { rules.uid_request_burst = number(value); }},
        {"max_connections", [&] { rules.max_connections = number(value); }},
        {"max_connections_per_uid", [&] { rules.max_connections_per_uid = number(value); }},
        {"max_queued_bytes", [&] { rules.max_queued_bytes = number(value); }},
        {"max_queued_events", [&] { rules.max_queued_events = number(value); }},
        {"allow", [&] { rules.allowed_commands.push_back(value); }},
        {"idle_ms", [&] { rules.idle_timeout = std::chrono::milliseconds{number(value)}; }},
        {"replay_ms", [&] { rules.replay_window = std::chrono::milliseconds{number(value)}; }},
    };
    fields.at(name)();
  }

  void peer(const std::string& rest) {
    std::istringstream words{rest};
    std::string name = "peer " + std::to_string(peers_.size() + 1);
    auto who = root_peer();
    for (std::string word; words >> word;) {
      if (word.starts_with("uid=")) {
        who.uid = number(word.substr(4));
      } else if (word.starts_with("gid=")) {
        who.gid = number(word.substr(4));
      } else {
        name = word;
      }
    }
    const auto admission = talk_.admit(who);
    if (!admission.id) {
      out_ += "< " + admission.refusal + "@ closed\n";
      return;
    }
    current_ = peers_[name] = *admission.id;
  }

  void use(const std::string& rest) { current_ = peers_.at(rest); }

  void reply(const std::string& rest) {
    std::istringstream words{rest};
    std::string kind, how, code, message;
    words >> kind >> how >> code;
    std::getline(words >> std::ws, message);
    using R = FakeTarget::Reply;
    const auto reply = how == "later" ? R::later : how == "never" ? R::never : R::at_once;
    std::optional<supervisor::Error> error;
    for (int i = 0; !code.empty() && i <= static_cast<int>(supervisor::Error::Code::gone); ++i) {
      const auto one = static_cast<supervisor::Error::Code>(i);
      if (code == to_string(one)) error = supervisor::Error{one, message};
    }
    if (!code.empty() && !error) throw std::invalid_argument{"no such error: " + code};
    talk_.target.reply(kind, reply, error);
  }

  void finish(const std::string&) {
    if (!talk_.finish()) throw std::invalid_argument{"no command waits"};
  }

  void change(const std::string& rest) {
    const auto at = rest.find(' ');
    for (int i = 0; i <= static_cast<int>(supervisor::ChildPhase::removed); ++i) {
      const auto phase = static_cast<supervisor::ChildPhase>(i);
      if (rest.substr(at + 1) == to_string(phase)) talk_.target.change(rest.substr(0, at), phase);
    }
    talk_.wake();
  }

  void write(const std::string& rest) {
    const auto at = rest.find(' ');
    talk_.target.write(rest.substr(0, at), LogStream::out, rest.substr(at + 1));
    talk_.wake();
  }

  void keep(const std::string& rest) {
    const auto at = rest.find(' ');
    talk_.target.keep(number(rest.substr(0, at)), number(rest.substr(at + 1)));
  }

  void bytes(const std::string& rest) {
    const auto at = rest.find(' ');
    feed(std::string(number(rest.substr(0, at)), rest.at(at + 1)));
  }

  void audit(const std::string& rest) { talk_.audit.works = rest == "works"; }
  void close(const std::string&) { talk_.close(current_); }
  void end(const std::string& rest) { talk_.end(rest); }

  void tell() {
    if (current_ == 0) return;
    for (; told_ < talk_.target.executed.size(); ++told_) {
      const auto& command = talk_.target.executed[told_];
      out_ += std::string{"@ ran "} + to_string(command.kind) + " " + command.path + " for " +
              command.meta.requested_by + "\n";
    }
    const bool was_closed = talk_.is_closed(current_);
    for (const auto& line : talk_.take(current_))
      out_ += "< " + line + "\n";
    if (!was_closed && talk_.is_closed(current_)) out_ += "@ closed\n";
  }

  Conversation talk_ = {};
  std::map<std::string, ConnectionId> peers_ = {};
  ConnectionId current_ = 0;
  std::size_t told_ = 0;
  std::string out_ = {};
};

}  // namespace espalier::ipc::testing_support
