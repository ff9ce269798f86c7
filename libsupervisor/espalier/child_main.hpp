#pragma once

/// What a program whose blocking functions may be isolated needs for the first line of its main.

#include "espalier/supervisor/process/child_main.hpp"
