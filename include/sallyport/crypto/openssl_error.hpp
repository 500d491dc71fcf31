// OpenSSL's error queue as our values; every function leaves the calling thread's queue empty.
#pragma once

#include <string>
#include <string_view>
#include <system_error>

#include "sallyport/base/result.hpp"

namespace sallyport::crypto {

/// The codes of OpenSSL's packed errors; their text is its reason: "bad decrypt".
[[nodiscard]] const std::error_category& openssl_category();

/// The oldest entry, which is the cause of those after it; no value if there was none. Call it right after the call
/// that failed: a stale entry is a wrong log line later.
[[nodiscard]] std::error_code take_error();

/// The same as text: "bad decrypt", or "no reason given". Holds no data of the caller's.
[[nodiscard]] std::string take_error_text();

/// `return fail_openssl("signing");`
[[nodiscard]] std::unexpected<Error> fail_openssl(std::string_view doing, Fault fault = Fault::internal,
                                                  Side side = Side::self);

} // namespace sallyport::crypto
