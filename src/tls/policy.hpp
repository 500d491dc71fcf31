// The TLS profiles: what a context without a certificate negotiates.
#pragma once

#include <expected>
#include <string>

#include "sallyport/ipc/control.hpp"
#include "sallyport/tls/ssl_handle.hpp"

namespace sallyport::tls {

/// A fresh context of this policy. `tickets` says whether it issues and takes session tickets.
[[nodiscard]] std::expected<SslContextHandle, std::string> make_context(const ipc::TlsSettings& settings, bool tickets);

} // namespace sallyport::tls
