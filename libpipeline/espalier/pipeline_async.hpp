#pragma once

/// What a program needs for pipelines whose tasks are coroutines that return
/// boost::asio::awaitable. Needs the headers of Boost 1.81 or later.
///
/// The coroutines of a pipeline run on one thread, beside each other, as many as their stage has
/// workers. They must not block it. The end of their time and `abort` cancel what they wait for:
/// it throws boost::system::system_error with operation_aborted.

#include "espalier/pipeline.hpp"
#include "espalier/pipeline/build/async_kernel.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
