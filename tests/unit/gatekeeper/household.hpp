// A gatekeeper's family in a process of its own, with fake children (support/fake_child.cpp) that tell what they hear.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gatekeeper/supervisor.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/sys/listen_socket.hpp"
#include "sallyport/sys/secret_memory_file.hpp"
#include "support/catch.hpp"

namespace sallyport::gatekeeper::test {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

inline constexpr auto kPatience = 20s; ///< only a broken test waits so long
inline constexpr std::uint32_t kDrainMs = 700;

/// What is left of it counts from the signal, so on a busy machine a little has passed.
inline bool is_all_of_the_drain(const std::string& told)
{
    const auto left = std::stoul(told);
    return left > kDrainMs / 2 && left <= kDrainMs;
}
/// For children that never answer: as short as a busy machine lets the others answer in time.
#ifdef SALLYPORT_SANITIZED
inline constexpr auto kShortPatience = 6s;
#else
inline constexpr auto kShortPatience = 2s;
#endif

inline Settings small_settings()
{
    Settings settings;
    settings.hello.build_id = "build-1";
    settings.hello.shards = 2;
    settings.upstreams = {{.name = "app", .addresses = {{.address = SocketAddress::parse("127.0.0.1:7766").value()}}}};
    settings.listeners.emplace_back().bind = ":443";
    settings.routes.emplace_back();
    settings.sources.emplace_back().label = "tls.crt";
    settings.drain.timeout_ms = kDrainMs;
    return settings;
}

/// Each configuration has another upstream: "app-2", "app-3".
class Next final : public NextConfiguration {
public:
    Next(Settings settings, std::string refusal) : settings_{std::move(settings)}, refusal_{std::move(refusal)} {}

    std::optional<GenerationPlan> read_anew(Family& family) override
    {
        if (!refusal_.empty()) throw StartError{ExitCode::configuration, refusal_};
        GenerationPlan plan{settings_, {}};
        plan.settings.upstreams.front().name = "app-" + std::to_string(++number_);
        for (const BoundListener& listener : family.current().listeners())
            plan.listeners.push_back(duplicate(listener));
        return plan;
    }
    void settle(const Family& family, bool in_force) override
    {
        log::info("settled", {{"generation", family.current().number()}, {"in_force", in_force}});
    }
    void let_go() override {}

private:
    Settings settings_;
    std::string refusal_;
    int number_{1};
};

/// Owns: a directory with the fakes, and the process that supervises them; both end with it.
class Household {
public:
    Household()
    {
        std::string pattern = (fs::temp_directory_path() / "sallyport-test-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
        ::mkfifo(path("journal").c_str(), 0600);
        // For reading and writing: it must not end while no child has it open.
        journal_ = UniqueFd{::open(path("journal").c_str(), O_RDWR | O_CLOEXEC)};
        for (const char* role : {"keyholder", "worker"}) {
            fs::copy_file(SALLYPORT_FAKE_CHILD, path("sallyport-" + std::string{role}));
            script(role, "");
        }
    }
    Household(const Household&) = delete;
    Household& operator=(const Household&) = delete;
    ~Household()
    {
        if (supervisor_ > 0) {
            ::kill(supervisor_, SIGKILL);
            ::waitpid(supervisor_, nullptr, 0);
        }
        fs::remove_all(directory_);
    }

    [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }

    /// One line for each birth to come.
    void script(const std::string& role, const std::string& lines) const
    {
        std::ofstream{path(role + ".script")} << lines;
    }

    std::vector<BoundListener> listeners; ///< handed to the family
    Patience patience{.start = 10s, .grace = 5s};
    std::uint32_t drain_delay_ms{0};
    static constexpr std::uint32_t kLastCallMs = 1700;
    std::uint16_t generations_max{4};
    std::string refusal;                 ///< why a new configuration cannot come into force
    bool has_next{false};                ///< SIGHUP brings a new configuration
    bool as_pid_1{false};                ///< needs root
    std::function<void()> before{[] {}}; ///< runs in the supervising process first

    void start()
    {
        // As fork(2) does it, but the child may be PID 1.
        const unsigned long flags = SIGCHLD | (as_pid_1 ? CLONE_NEWPID : 0);
        supervisor_ = static_cast<pid_t>(::syscall(SYS_clone, flags, 0, 0, 0, 0));
        if (supervisor_ == 0) supervise_here();
        REQUIRE(supervisor_ > 0);
        listeners.clear();
    }

    void signal(int number) const { ::kill(supervisor_, number); }

    /// How many the supervising process has open.
    [[nodiscard]] std::size_t descriptors() const
    {
        const fs::directory_iterator open{"/proc/" + std::to_string(supervisor_) + "/fd"};
        return static_cast<std::size_t>(std::distance(begin(open), end(open)));
    }

    /// Reads on until a child's line that begins so; the rest of that line.
    std::string wait_for(const std::string& beginning)
    {
        for (;;) {
            const std::string line = next_line(kPatience);
            if (line.empty()) FAIL("no line '" << beginning << "…' in:\n" << heard_);
            if (line.starts_with(beginning)) return line.substr(beginning.size());
        }
    }

    /// The same for several lines, whichever comes first: those of two children have no order.
    std::vector<std::string> wait_for_all(const std::vector<std::string>& beginnings)
    {
        std::vector<std::string> rests(beginnings.size());
        std::vector<bool> found(beginnings.size());
        while (std::ranges::find(found, false) != found.end()) {
            const std::string line = next_line(kPatience);
            if (line.empty())
                FAIL("not all of the lines that begin as those of " << beginnings[0] << "… in:\n" << heard_);
            for (std::size_t i = 0; i < beginnings.size(); ++i) {
                if (found[i] || !line.starts_with(beginnings[i])) continue;
                found[i] = true;
                rests[i] = line.substr(beginnings[i].size());
            }
        }
        return rests;
    }

    /// Reads on until a line of the gatekeeper's log that holds this text. Its order among the children's lines is not
    /// certain: wait for their lines first.
    std::string wait_for_log(const std::string& text)
    {
        for (;;) {
            const std::string line = next_line(kPatience);
            if (line.empty()) FAIL("no log line with '" << text << "' in:\n" << heard_);
            if (line.starts_with("{") && line.find(text) != std::string::npos) return line;
        }
    }

    /// Whether this was told, or soon is: what has happened already may be in the log a little later.
    [[nodiscard]] bool is_told(const std::string& text)
    {
        while (heard_.find(text) == std::string::npos)
            if (next_line(kPatience).empty()) return false;
        return true;
    }

    /// Every line so far, the children's and the log's.
    [[nodiscard]] const std::string& heard()
    {
        while (!next_line(0ms).empty()) {
        }
        return heard_;
    }

    /// The exit code of the supervising process; -1 if a signal killed it.
    int exit_code()
    {
        int status{};
        REQUIRE(::waitpid(supervisor_, &status, 0) == supervisor_);
        supervisor_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    [[noreturn]] void supervise_here()
    {
        ::dup2(journal_.get(), STDOUT_FILENO);
        before();
        int code = 0;
        try {
            Signals signals;
            log::start({.level = log::Level::debug, .format = log::Format::json, .process = "gatekeeper"});
            Secrets secrets;
            secrets.tickets = std::move(sys::empty_file("tickets").value());
            Settings settings = small_settings();
            settings.drain.delay_ms = drain_delay_ms;
            settings.reload = {.generations_max = generations_max, .last_call_ms = kLastCallMs};
            Next next{settings, refusal};
            Family family{directory_, {std::move(settings), std::move(listeners)}, secrets, patience};
            code = static_cast<int>(supervise(family, signals, {.next = has_next ? &next : nullptr}));
        } catch (const StartError& error) {
            code = static_cast<int>(error.code());
            log::error("refused", {{"text", error.what()}});
        }
        log::stop();
        ::_exit(code);
    }

    /// Empty if none comes in time.
    std::string next_line(std::chrono::milliseconds limit)
    {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        for (;;) {
            if (const std::size_t end = unread_.find('\n'); end != std::string::npos) {
                const std::string line = unread_.substr(0, end);
                unread_.erase(0, end + 1);
                heard_ += line + "\n";
                return line;
            }
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
            pollfd entry{.fd = journal_.get(), .events = POLLIN, .revents = 0};
            if (::poll(&entry, 1, std::max(0, static_cast<int>(left.count()))) <= 0) return {};
            std::array<char, 4096> buffer;
            const ssize_t size = ::read(journal_.get(), buffer.data(), buffer.size());
            if (size > 0) unread_.append(buffer.data(), static_cast<std::size_t>(size));
        }
    }

    std::string directory_;
    UniqueFd journal_;
    std::string unread_;
    std::string heard_;
    pid_t supervisor_{-1};
};

inline pid_t pid_of(const std::string& text)
{
    return static_cast<pid_t>(std::stoi(text));
}

/// Its pid is gone: dead and reaped.
inline bool is_reaped(pid_t pid)
{
    return ::kill(pid, 0) != 0 && errno == ESRCH;
}

/// The same for one whose death nothing that was heard has followed from.
inline bool is_soon_reaped(pid_t pid)
{
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    while (!is_reaped(pid) && std::chrono::steady_clock::now() < limit)
        ::usleep(1000);
    return is_reaped(pid);
}

inline UniqueFd loopback_listener()
{
    // Port 0 is no address that a configuration can name, so it is made from bytes.
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&any), sizeof any).value();
    return std::move(sys::listen_tcp(address, false).value());
}

inline UniqueFd connected_to(const SocketAddress& address)
{
    UniqueFd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (::connect(client.get(), address.data(), address.size()) != 0) return {};
    return client;
}

inline BoundListener first_listener(UniqueFd socket)
{
    BoundListener bound;
    bound.sockets.push_back(std::move(socket));
    return bound;
}

} // namespace sallyport::gatekeeper::test
