// Messages between the processes: what is read writes back to the very same bytes, so nothing is ignored on the way.
#include <algorithm>
#include <span>

#include "fuzz_target.hpp"
#include "sallyport/base/contract.hpp"
#include "sallyport/ipc/admin.hpp"
#include "sallyport/ipc/authority.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/ipc/keys.hpp"
#include "sallyport/ipc/starter.hpp"

namespace {

template <typename Message>
void try_as(std::span<const std::byte> bytes)
{
    const auto message = sallyport::ipc::decode<Message>(bytes);
    if (message) SALLYPORT_ASSERT(std::ranges::equal(sallyport::ipc::encode(*message), bytes));
}

template <typename... Messages>
void try_each(std::span<const std::byte> bytes)
{
    (try_as<Messages>(bytes), ...);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace sallyport::ipc;
    const auto bytes = std::as_bytes(std::span{data, size});
    try_each<Hello, Figures, Admin, NameService, Upstream, Listener, KeyChannels, Serve, Unready, Drain, Ready, Drained,
             CertificateSource, TicketSecret, Load, Loaded, NotRotated, MakeAuthority, AuthorityMade, WorkerChannels,
             Failed>(bytes);
    try_each<DescribeCertificate, Certificate, DescribeTickets, Tickets, Changed, Adopt, Noted, Sign, Signature>(bytes);
    try_each<StartApp, SignalApp, EndApp, StarterReady, StarterFailed, AppStarted, AppRefused, AppEnded>(bytes);
    return 0;
}
