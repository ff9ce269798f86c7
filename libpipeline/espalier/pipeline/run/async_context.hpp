#pragma once

namespace boost::asio {
class io_context;
}

namespace espalier::pipeline {

/// The Asio context of the thread that calls AsyncKernel::start; null on other threads. Coroutines
/// of a stage are spawned there.
[[nodiscard]] boost::asio::io_context* async_context();

}  // namespace espalier::pipeline
