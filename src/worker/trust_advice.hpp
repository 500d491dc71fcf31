// Tells the operator what lets an app believe our forwarding fields.
#pragma once

#include "settings.hpp"

namespace sallyport::worker {

/// One line for each upstream that is told of clients by X-Forwarded-For and its like.
void log_trust_advice(const Settings& settings);

} // namespace sallyport::worker
