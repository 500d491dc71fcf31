#include "audit_output.hpp"

#include <array>
#include <ctime>

#include <syslog.h>
#include <unistd.h>

namespace sallyport::log {

namespace {

/// "<85>Nov 22 03:04:05 "; in UTC, as no process of ours reads a time zone's file.
std::string priority_and_time()
{
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    std::array<char, 32> text{};
    ::gmtime_r(&now, &utc);
    const std::size_t size = std::strftime(text.data(), text.size(), "%b %e %H:%M:%S ", &utc);
    return "<" + std::to_string(LOG_AUTHPRIV | LOG_NOTICE) + ">" + std::string{text.data(), size};
}

} // namespace

AuditOutput::AuditOutput(int fd, AuditPlace place, const std::string& process)
    : output_{fd}, place_{place}, tag_{"sallyport-" + process + "[" + std::to_string(::getpid()) + "]: "}
{
}

bool AuditOutput::write(std::string_view line)
{
    if (place_ != AuditPlace::syslog) return output_.write(line);
    return output_.write(priority_and_time().append(tag_).append(line.substr(0, line.size() - 1)));
}

} // namespace sallyport::log
