// bench-load SCENARIO --port N [--core N] [--tls 1.2|1.3|none] [--limit SECONDS] …: one bounded run against a TLS
// proxy on this machine, reported as one line of JSON. The scenarios and their options: load/scenarios.hpp.
#include <csignal>
#include <cstdio>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "load/scenarios.hpp"

namespace {

using bench::Arguments;
using bench::Target;

struct Scenario {
    std::string_view name;
    void (*run)(Target&, Arguments&);
};

constexpr Scenario kScenarios[] = {
    {"churn", bench::churn},   {"saturate", bench::saturate}, {"pace", bench::pace},   {"download", bench::download},
    {"upload", bench::upload}, {"hold", bench::hold},         {"first", bench::first},
};

int usage()
{
    std::fputs("usage: bench-load churn|saturate|pace|download|upload|hold|first --port N [option…]\n", stderr);
    return 64;
}

} // namespace

int main(int count, char** words)
{
    if (count < 2) return usage();
    for (const Scenario& scenario : kScenarios) {
        if (scenario.name != words[1]) continue;
        Arguments arguments{count - 2, words + 2};
        // SIGALRM ends a run that hangs.
        ::alarm(static_cast<unsigned>(arguments.number("limit", 60)));
        ::signal(SIGPIPE, SIG_IGN);
        bench::pin_to(arguments.core());
        bench::raise_descriptor_limit();
        Target target{};
        target.port = arguments.port("port");
        if (const auto version = arguments.text("tls", "1.3"); version != "none")
            target.context = bench::client_context(version);
        scenario.run(target, arguments);
        return 0;
    }
    return usage();
}
