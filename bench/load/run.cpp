#include "load/run.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <unistd.h>

namespace bench {

namespace {

double quantile(const std::vector<std::uint32_t>& sorted, double part)
{
    if (sorted.empty()) return 0;
    const auto last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<std::size_t>(last * part)];
}

} // namespace

void say_ready()
{
    std::puts("ready");
    std::fflush(stdout);
}

bool told_to_go()
{
    for (char c{}; ::read(STDIN_FILENO, &c, 1) == 1;)
        if (c == '\n') return true;
    return false;
}

void say(Report report, const Agreement& agreement)
{
    auto& sorted = report.microseconds;
    std::sort(sorted.begin(), sorted.end());
    const auto finished = Clock::now().time_since_epoch();
    std::printf("{\"operations\": %lu, \"bytes\": %lu, \"errors\": %lu, \"seconds\": %.6f, \"finished\": %.9f, ",
                report.operations, report.bytes, report.errors, std::chrono::duration<double>(report.took).count(),
                std::chrono::duration<double>(finished).count());
    std::printf("\"latency_us\": {\"p50\": %.0f, \"p90\": %.0f, \"p99\": %.0f, \"p999\": %.0f, \"max\": %.0f}, ",
                quantile(sorted, 0.5), quantile(sorted, 0.9), quantile(sorted, 0.99), quantile(sorted, 0.999),
                quantile(sorted, 1));
    std::printf("\"tls\": {\"version\": \"%s\", \"cipher\": \"%s\", \"curve\": \"%s\", \"certificate\": \"%s\", "
                "\"full\": %lu, \"resumed\": %lu, \"strays\": %lu, \"tickets\": %lu}}\n",
                agreement.version.c_str(), agreement.cipher.c_str(), agreement.curve.c_str(),
                agreement.certificate.c_str(), agreement.full, agreement.resumed, agreement.strays, report.tickets);
    std::fflush(stdout);
}

std::uint32_t microseconds_since(Clock::time_point begin)
{
    const auto count = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, UINT32_MAX));
}

} // namespace bench
