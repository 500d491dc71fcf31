// What must hold whatever the network sends; a broken contract ends the process.
#pragma once

namespace sallyport {

/// Writes the expression and its place to standard error and aborts. The gatekeeper restarts what died.
[[noreturn]] void contract_broken(const char* expression, const char* file, int line) noexcept;

} // namespace sallyport

#define SALLYPORT_ASSERT(expression)                                                                                   \
    (static_cast<bool>(expression) ? static_cast<void>(0)                                                              \
                                   : ::sallyport::contract_broken(#expression, __FILE__, __LINE__))
