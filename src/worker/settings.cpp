#include "settings.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "sallyport/base/build.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/ipc/codec.hpp"

namespace sallyport::worker {

namespace {

[[noreturn]] void refuse(const std::string& what)
{
    throw StartError{ExitCode::software, "the gatekeeper's message is not lawful: " + what};
}

struct Message {
    ipc::Bytes bytes;
    std::vector<UniqueFd> descriptors;
};

Message receive(sys::Channel& control)
{
    Message message{ipc::Bytes(ipc::kMessageMax), {}};
    auto received = control.receive(message.bytes);
    if (!received) refuse(std::string{received.error().doing});
    if (received->size == 0) throw StartError{ExitCode::unavailable, "the gatekeeper is gone"};
    message.bytes.resize(received->size);
    message.descriptors = std::move(received->descriptors);
    return message;
}

template <typename M>
M expect(const Message& message)
{
    auto decoded = ipc::decode<M>(message.bytes);
    if (!decoded) refuse("kind " + std::to_string(std::to_underlying(M::kKind)));
    return std::move(*decoded);
}

void take_listener(Settings& settings, Message message)
{
    auto listener = expect<ipc::Listener>(message);
    const std::size_t sockets = listener.shared ? 1 : settings.hello.shards;
    if (message.descriptors.size() != sockets) refuse("a listener without its sockets");
    if (listener.upstream >= settings.upstreams.size()) refuse("a listener without its upstream");
    settings.listeners.push_back({std::move(listener), std::move(message.descriptors)});
}

bool take(Settings& settings, Message message)
{
    switch (ipc::kind_of<ipc::Control>(message.bytes).value_or(ipc::Control::failed)) {
    case ipc::Control::upstream:
        settings.upstreams.push_back(expect<ipc::Upstream>(message));
        return true;
    case ipc::Control::listener:
        take_listener(settings, std::move(message));
        return true;
    case ipc::Control::key_channels:
        settings.keys = take_key_ends(std::move(message.descriptors), settings.hello.shards);
        return true;
    case ipc::Control::serve:
        return false;
    default:
        refuse("out of place");
    }
}

} // namespace

Greeting receive_hello(sys::Channel& control)
{
    Message message = receive(control);
    auto hello = expect<ipc::Hello>(message);
    if (hello.build_id != build_id()) {
        throw StartError{ExitCode::software, "the gatekeeper is of build " + hello.build_id + ", this worker of " +
                                                 std::string{build_id()} + ": install all three from one build"};
    }
    if (hello.shards == 0) refuse("no shards");
    if (message.descriptors.size() != (hello.log.audit == 0 ? 0 : 1)) refuse("Hello without its descriptor");
    Greeting greeting{std::move(hello), {}};
    if (!message.descriptors.empty()) greeting.audit = std::move(message.descriptors.front());
    return greeting;
}

Settings receive_settings(sys::Channel& control, ipc::Hello hello)
{
    Settings settings{.hello = std::move(hello), .upstreams = {}, .listeners = {}, .keys = {}};
    while (take(settings, receive(control))) {
    }
    if (settings.listeners.empty() || !settings.keys.supply) refuse("serve before everything was there");
    return settings;
}

KeyEnds take_key_ends(std::vector<UniqueFd> descriptors, std::size_t shards)
{
    if (descriptors.size() != shards + 1) refuse("key channels");
    KeyEnds ends;
    ends.supply = sys::Channel{std::move(descriptors.front())};
    for (std::size_t i = 1; i < descriptors.size(); ++i)
        ends.sign.emplace_back(std::move(descriptors[i]));
    return ends;
}

} // namespace sallyport::worker
