#pragma once

namespace espalier::supervisor {

/// Marks the calling thread as one on which a supervisor works now. Whoever would wait there for
/// that supervisor would wait for ever.
class SupervisorThreadMark {
 public:
  SupervisorThreadMark() { ++depth(); }
  ~SupervisorThreadMark() { --depth(); }
  SupervisorThreadMark(const SupervisorThreadMark&) = delete;
  SupervisorThreadMark& operator=(const SupervisorThreadMark&) = delete;

  [[nodiscard]] static bool is_set() { return depth() > 0; }

 private:
  static int& depth() {
    thread_local int value = 0;
    return value;
  }
};

}  // namespace espalier::supervisor
