#include <span>
#include <string>
#include <utility>

#include "sallyport/base/build.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/ipc/codec.hpp"
#include "sallyport/keyholder/keyholder.hpp"

namespace sallyport::keyholder {

std::optional<Greeting> take_hello(sys::Channel& control)
{
    ipc::Bytes message(ipc::kMessageMax);
    Result<sys::Received> received = control.receive(message);
    if (!received) throw StartError{ExitCode::usage, "it is started by sallyport, which gives it a control channel"};
    if (received->size == 0) return std::nullopt;
    auto hello = ipc::decode<ipc::Hello>(std::span{message}.first(received->size));
    if (!hello) throw StartError{ExitCode::software, "the gatekeeper's first message is not of this build"};
    if (hello->build_id != build_id())
        throw StartError{ExitCode::software, "sallyport is of build " + hello->build_id + ", sallyport-keyholder of " +
                                                 std::string{build_id()} + "; install all three together"};
    Greeting greeting{std::move(*hello), {}};
    if (received->descriptors.size() != (greeting.hello.log.audit == 0 ? 0 : 1))
        throw StartError{ExitCode::software, "the gatekeeper's first message has not its descriptors"};
    if (greeting.hello.log.audit != 0) greeting.audit = std::move(received->descriptors.front());
    return greeting;
}

} // namespace sallyport::keyholder
