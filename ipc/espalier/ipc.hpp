#pragma once

/// The one header a user of the socket needs: the server of a tree and the client of a target.
#include "espalier/ipc/client/client.hpp"
#include "espalier/ipc/client/find_target.hpp"
#include "espalier/ipc/server/server.hpp"
