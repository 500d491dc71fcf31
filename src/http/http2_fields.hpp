// What fields may not be there in HTTP/2.
#pragma once

#include <optional>

#include "sallyport/http/fields.hpp"
#include "sallyport/http/refusal.hpp"

namespace sallyport::http {

/// RFC 9113 §8.2.2: there is no field of a connection. Errors: field_of_a_connection.
[[nodiscard]] std::optional<Refusal> check_http2_fields(const Fields& fields);

} // namespace sallyport::http
