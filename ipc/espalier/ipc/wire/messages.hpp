#pragma once

/// All messages of the socket, by theme.
#include "espalier/ipc/wire/messages/audit.hpp"
#include "espalier/ipc/wire/messages/commands.hpp"
#include "espalier/ipc/wire/messages/common.hpp"
#include "espalier/ipc/wire/messages/events.hpp"
#include "espalier/ipc/wire/messages/logs.hpp"
#include "espalier/ipc/wire/messages/pipelines.hpp"
#include "espalier/ipc/wire/messages/registration.hpp"
#include "espalier/ipc/wire/messages/session.hpp"
#include "espalier/ipc/wire/messages/state.hpp"
#include "espalier/ipc/wire/messages/why.hpp"
