// A child process as the gatekeeper's tests play it: it tells on a FIFO what it hears, and does what its script says.
//
// It is copied into a test's directory as sallyport-keyholder and sallyport-worker. Beside it lie the FIFO `journal`
// and a file `<role>.script`, from which each birth takes one line (none: behave):
//   keyholder: fail, die, mute, fail-again, mute-again (loads once, then fails or does not answer), hold-again,
//              hold-and-fail-again (loads once, then answers the next Load on SIGUSR1), hold-first (the first one)
//   worker:    fail, die, mute, babble (an unlawful message), stubborn (does not drain), die-draining, linger (drains
//   when
//              it is not replaced),
//              desert (closes its channel and lives on), accept (answers one connection), keyless (says that its first
//              key channels have ended), keyless-later (on SIGUSR1); and after Ready unlawfully: ready-twice,
//              keyless-twice, keyless-early (of channels to come), large (a message), gift (a descriptor), last-words
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sallyport/ipc/codec.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/sys/channel.hpp"
#include "sallyport/sys/secret_memory_file.hpp"
#include "sallyport/sys/spawn.hpp"

namespace {

using namespace sallyport;
using ipc::Control;

class FakeChild {
public:
    FakeChild(std::string role, const std::string& directory)
        : role_{std::move(role)},
          journal_{::open((directory + "/journal").c_str(), O_WRONLY | O_CLOEXEC)},
          script_{take_line(directory + "/" + role_ + ".script")}
    {
        note("born " + std::to_string(::getpid()));
    }

    [[noreturn]] void live();

private:
    static std::string take_line(const std::string& path);
    void note(const std::string& what) const;
    void hear_control();
    void hear_peers();
    void obey(const ipc::Bytes& message, std::vector<UniqueFd> descriptors);
    void obey_keyholder_word(Control kind, std::vector<UniqueFd> descriptors);
    void obey_worker_word(const ipc::Bytes& message, Control kind, std::vector<UniqueFd> descriptors);
    void load();
    void serve();
    void misbehave();
    static void wait_for_usr1();
    void drain(const ipc::Drain& order);
    void remember_secret(int fd) const;
    void meet(std::vector<UniqueFd> channels);
    void answer_one_connection() const;
    template <typename Message>
    void say(const Message& message)
    {
        static_cast<void>(control_.send(ipc::encode(message)));
    }

    std::string role_;
    UniqueFd journal_;
    std::string script_;
    sys::Channel control_{UniqueFd{sys::kControlFd}};
    std::vector<sys::Channel> peers_;
    std::vector<UniqueFd> sockets_;
    int loads_{0};
};

std::string FakeChild::take_line(const std::string& path)
{
    std::ifstream file{path};
    std::string line;
    std::getline(file, line);
    const std::string rest{std::istreambuf_iterator<char>{file}, {}};
    file.close();
    std::ofstream{path} << rest;
    return line;
}

void FakeChild::note(const std::string& what) const
{
    const std::string line = role_ + " " + what + "\n";
    static_cast<void>(!::write(journal_.get(), line.data(), line.size()));
}

void FakeChild::live()
{
    for (;;) {
        std::vector<pollfd> entries{{.fd = control_.fd(), .events = POLLIN, .revents = 0}};
        for (const sys::Channel& peer : peers_)
            entries.push_back({.fd = peer.fd(), .events = POLLIN, .revents = 0});
        ::poll(entries.data(), entries.size(), -1);
        for (std::size_t i = 1; i < entries.size(); ++i)
            if (entries[i].revents != 0) peers_[i - 1] = {};
        if (std::erase_if(peers_, [](const sys::Channel& peer) { return !peer; }) > 0)
            note("channels " + std::to_string(peers_.size()));
        if (entries.front().revents != 0) hear_control();
    }
}

void FakeChild::hear_control()
{
    ipc::Bytes buffer(ipc::kMessageMax);
    auto received = control_.receive(buffer);
    if (!received || received->size == 0) {
        note("dismissed");
        std::exit(0);
    }
    buffer.resize(received->size);
    obey(buffer, std::move(received->descriptors));
}

void FakeChild::obey(const ipc::Bytes& message, std::vector<UniqueFd> descriptors)
{
    const Control kind = ipc::kind_of<Control>(message).value();
    if (const auto hello = ipc::decode<ipc::Hello>(message))
        note("hello " + hello->build_id + " " + std::to_string(hello->shards));
    else if (const auto source = ipc::decode<ipc::CertificateSource>(message))
        note("source " + source->label + " " + std::to_string(descriptors.size()));
    else if (role_ == "keyholder")
        obey_keyholder_word(kind, std::move(descriptors));
    else
        obey_worker_word(message, kind, std::move(descriptors));
}

void FakeChild::obey_keyholder_word(Control kind, std::vector<UniqueFd> descriptors)
{
    if (kind == Control::ticket_secret) remember_secret(descriptors.at(0).get());
    if (kind == Control::load) load();
    if (kind == Control::worker_channels) meet(std::move(descriptors));
}

void FakeChild::obey_worker_word(const ipc::Bytes& message, Control kind, std::vector<UniqueFd> descriptors)
{
    if (const auto upstream = ipc::decode<ipc::Upstream>(message)) note("upstream " + upstream->name);
    if (const auto listener = ipc::decode<ipc::Listener>(message)) {
        note("listener " + listener->bind + " " + std::to_string(descriptors.size()) +
             (listener->shared ? " shared" : ""));
        std::move(descriptors.begin(), descriptors.end(), std::back_inserter(sockets_));
    }
    if (kind == Control::key_channels) meet(std::move(descriptors));
    if (kind == Control::serve) serve();
    if (kind == Control::unready) note("unready");
    if (const auto wish = ipc::decode<ipc::Drain>(message)) drain(*wish);
}

void FakeChild::load()
{
    note("load");
    ++loads_;
    if (script_ == "die") std::exit(3);
    if (script_ == "hold-first" ? loads_ == 1 : script_.starts_with("hold") && loads_ == 2) wait_for_usr1();
    if (script_ == "mute" || (script_ == "mute-again" && loads_ > 1)) return;
    if (script_ == "fail" || (script_.ends_with("fail-again") && loads_ > 1))
        return say(ipc::Failed{.exit_code = 78, .text = "tls.key does not belong to tls.crt"});
    ipc::LoadedPair pair;
    pair.label = "tls.crt";
    pair.key_type = "EC P-256";
    say(ipc::Loaded{.memory_locked = true, .pairs = {pair}, .open_files = {}});
}

void FakeChild::serve()
{
    note("serve");
    if (script_ == "die") std::exit(3);
    if (script_ == "mute") return;
    if (script_ == "fail") return say(ipc::Failed{.exit_code = 71, .text = "no memory for a shard"});
    if (script_ == "babble") return say(ipc::Load{});
    say(ipc::Ready{});
    if (script_ == "accept") answer_one_connection();
    if (script_ == "keyless-later") wait_for_usr1();
    if (script_.starts_with("keyless")) say(ipc::KeysLost{.introductions = script_ == "keyless-early" ? 2U : 1U});
    if (script_ == "keyless-later") note("lost its keys");
    misbehave();
    if (script_ == "desert") {
        control_ = {};
        ::pause();
    }
}

void FakeChild::misbehave()
{
    if (script_ == "ready-twice") say(ipc::Ready{});
    if (script_ == "keyless-twice") say(ipc::KeysLost{.introductions = 1});
    if (script_ == "large") static_cast<void>(control_.send(ipc::Bytes(ipc::kMessageMax + 1)));
    const std::array gift{STDOUT_FILENO};
    if (script_ == "gift") static_cast<void>(control_.send(ipc::encode(ipc::KeysLost{.introductions = 1}), gift));
    if (script_ != "last-words") return;
    say(ipc::Trapped{.call = 1});
    say(ipc::Trapped{.call = 2});
}

/// It is blocked from the start, so one that came before is not lost.
void FakeChild::wait_for_usr1()
{
    sigset_t awaited{};
    sigaddset(&awaited, SIGUSR1);
    int signal{};
    sigwait(&awaited, &signal);
}

void FakeChild::drain(const ipc::Drain& order)
{
    note("drain " + std::to_string(order.timeout_ms) + (order.replaced ? " replaced" : ""));
    if (script_ == "stubborn" || (script_ == "linger" && order.replaced)) return;
    if (script_ == "die-draining") std::exit(4);
    say(ipc::Drained{.finished = 7, .cut = 2});
    std::exit(0);
}

/// The first keyholder fills it with its own pid; later ones must find that.
void FakeChild::remember_secret(int fd) const
{
    if (sys::file_size(fd).value() == 0) {
        const std::string secret = std::to_string(::getpid());
        static_cast<void>(!::pwrite(fd, secret.data(), secret.size(), 0));
        return note("secret new");
    }
    const auto bytes = sys::read_all(fd, 100).value();
    note("secret of " + std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

/// The worker speaks on each channel, and the keyholder hears it: they have ends of the same ones, in the same order.
void FakeChild::meet(std::vector<UniqueFd> channels)
{
    const std::size_t count = channels.size();
    for (std::byte number{0}; UniqueFd & fd : channels) {
        peers_.emplace_back(std::move(fd));
        std::byte heard{};
        if (role_ == "worker")
            static_cast<void>(peers_.back().send({&number, 1}));
        else if (const auto got = peers_.back().receive({&heard, 1}); !got || got->size != 1 || heard != number)
            note("met nobody");
        number = static_cast<std::byte>(static_cast<int>(number) + 1);
    }
    note("met " + std::to_string(count));
}

void FakeChild::answer_one_connection() const
{
    pollfd entry{.fd = sockets_.at(0).get(), .events = POLLIN, .revents = 0};
    ::poll(&entry, 1, -1);
    const UniqueFd connection{::accept4(entry.fd, nullptr, nullptr, SOCK_CLOEXEC)};
    static_cast<void>(!::write(connection.get(), "x", 1));
    note("accepted");
}

} // namespace

int main(int, char** arguments)
{
    sigset_t held{};
    sigaddset(&held, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &held, nullptr);
    const std::string role = std::string{arguments[0]}.substr(std::string{"sallyport-"}.size());
    FakeChild{role, sys::executable_directory().value()}.live();
}
