#pragma once

namespace espalier::supervisor {

/// Makes this process tell what ended it: on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT it sends
/// wire::Crashed and then one packet for each frame of the stack to `socket`, and dies of that
/// very signal. Works on a stack of its own, so that an overflow of the calling thread's stack
/// is told too; other threads that overflow theirs end without a word.
///
/// Only for the copy of a program that runs an isolated function: it replaces handlers. Call it
/// from the thread that will run the function; lasts until the process ends.
void report_crashes_to(int socket);

}  // namespace espalier::supervisor
