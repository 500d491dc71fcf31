#include <string>

#include "load/caller.hpp"
#include "load/scenarios.hpp"

namespace bench {

namespace {

class Shares final : public Crew {
public:
    void run(Target& target, std::deque<Caller>& callers, std::string_view head, std::uint64_t body)
    {
        const auto begin = Clock::now();
        for (Caller& caller : callers) {
            caller.serve(*this);
            caller.call(head, body, begin);
        }
        while (report.operations < callers.size())
            turn(target);
        report.took = Clock::now() - begin;
    }

    void answered(Caller& caller, Progress how) override
    {
        ++report.operations;
        if (how == Progress::failed) ++report.errors;
        report.microseconds.push_back(microseconds_since(caller.intended()));
    }

    Report report;
};

void move_bytes(Target& target, Arguments& arguments, bool up)
{
    constexpr std::uint64_t kMega = 1'000'000;
    const auto connections = arguments.number("connections", 4);
    const auto share = arguments.number("megabytes", 1000) * kMega / connections;
    arguments.end();
    const std::string size = std::to_string(share);
    const std::string head =
        up ? "POST / HTTP/1.1\r\nHost: bench.test\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
                 size + "\r\n\r\n"
           : "GET /d/" + size + " HTTP/1.1\r\nHost: bench.test\r\nAccept: */*\r\n\r\n";

    auto callers = open_callers(target, connections);
    say_ready();
    while (told_to_go()) {
        Shares shares;
        shares.run(target, callers, head, up ? share : 0);
        shares.report.bytes = share * connections;
        say(std::move(shares.report), target.agreement);
    }
}

} // namespace

void download(Target& target, Arguments& arguments)
{
    move_bytes(target, arguments, false);
}

void upload(Target& target, Arguments& arguments)
{
    move_bytes(target, arguments, true);
}

} // namespace bench
