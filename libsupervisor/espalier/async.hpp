#pragma once

/// What a program needs to write children as coroutines, besides `espalier/supervisor.hpp`. Needs
/// the headers of Boost 1.81 or later.

#include "espalier/supervisor/io/async_function.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
