#include "workbench.hpp"

#include <bit>

#include <sys/random.h>

#include "sallyport/base/result.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/site/http_limits.hpp"

namespace sallyport::proxy {

namespace {

std::uint64_t random_seed()
{
    std::uint64_t seed{};
    if (::getrandom(&seed, sizeof seed, 0) != sizeof seed)
        throw StartError{ExitCode::os_error, "getrandom: " + last_errno().message()};
    return seed;
}

} // namespace

Workbench::Workbench(const ipc::Limits& limits, const ipc::AccessLog& access, metrics::Traffic& traffic)
    : budget{limits.buffer_bytes_max},
      scratch{traffic},
      http_limits{site::head_limits(limits.http)},
      access_log{access},
      random_{random_seed()}
{
}

std::array<std::byte, 16> Workbench::request_seed()
{
    return std::bit_cast<std::array<std::byte, 16>>(std::array{random_(), random_()});
}

} // namespace sallyport::proxy
