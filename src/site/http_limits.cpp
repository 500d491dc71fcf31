#include "sallyport/site/http_limits.hpp"

namespace sallyport::site {

http::Limits head_limits(const ipc::HttpLimits& limits)
{
    return {.head_bytes = limits.head_bytes,
            .target_bytes = limits.target_bytes,
            .fields = limits.fields_max,
            .trailer_bytes = limits.trailer_bytes};
}

} // namespace sallyport::site
