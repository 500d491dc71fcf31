// Where audit lines go when they do not go to standard output among the others.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "output.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::log {

/// Borrows its descriptor. Thread: one at a time.
class AuditOutput {
public:
    AuditOutput(int fd, AuditPlace place, const std::string& process);

    /// A line with its line feed. To syslog (RFC 3164 §4.1, as syslog(3) writes it): one datagram, facility authpriv,
    /// severity notice, without the line feed. False if it could not be written.
    bool write(std::string_view line);

    /// As Output's.
    void give_up_after(std::chrono::milliseconds patience) { output_.give_up_after(patience); }

private:
    Output output_;
    AuditPlace place_;
    std::string tag_; ///< "sallyport-worker[812]: "
};

} // namespace sallyport::log
