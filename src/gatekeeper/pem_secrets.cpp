#include "pem_secrets.hpp"

#include <cstdlib>

#include <fcntl.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/sys/environment.hpp"
#include "sallyport/sys/secret_memory_file.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr const char* kCertificate = "SALLYPORT_CERT";
constexpr const char* kKey = "SALLYPORT_KEY";

UniqueFd duplicate(const UniqueFd& descriptor)
{
    UniqueFd copy{::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0)};
    if (!copy) throw StartError{ExitCode::os_error, "cannot duplicate a descriptor: " + last_errno().message()};
    return copy;
}

} // namespace

Secrets take_secrets()
{
    Secrets secrets;
    auto certificate = sys::take_pem(kCertificate);
    auto key = sys::take_pem(kKey);
    if (key && !certificate && ::getenv(kCertificate) == nullptr)
        throw StartError{ExitCode::configuration,
                         "SALLYPORT_KEY holds PEM, but SALLYPORT_CERT is not set: put the certificate there"};
    if (certificate) secrets.certificate = std::move(*certificate);
    if (key) secrets.key = std::move(*key);
    if (secrets.certificate && !secrets.key) secrets.key = duplicate(secrets.certificate);

    Result<UniqueFd> tickets = sys::empty_file("ticket-secret");
    if (!tickets) throw StartError{ExitCode::os_error, "cannot make a memory file: " + tickets.error().cause.message()};
    secrets.tickets = std::move(*tickets);
    return secrets;
}

} // namespace sallyport::gatekeeper
