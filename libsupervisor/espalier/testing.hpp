#pragma once

/// For tests of programs that embed a tree; needs no particular test framework.
/// TestContext calls one worker function, VirtualTree runs a spec with scripted children (both in
/// virtual time), EventWaiter waits for the events of a real tree.

#include "espalier/testing/event_waiter.hpp"
#include "espalier/testing/test_context.hpp"
#include "espalier/testing/virtual_tree.hpp"
