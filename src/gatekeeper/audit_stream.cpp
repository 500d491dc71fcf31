#include "audit_stream.hpp"

#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sallyport/base/result.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/sys/process.hpp"
#include "sallyport/sys/syslog_socket.hpp"

namespace sallyport::gatekeeper {

namespace {

/// Nothing if it is none, or one that is connected to somebody.
std::optional<std::string> what_socket(int number)
{
    int listens{};
    socklen_t size = sizeof listens;
    if (::getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) return std::nullopt;
    if (listens != 0) return "a listening socket";
    sockaddr_storage peer{};
    size = sizeof peer;
    if (::getpeername(number, reinterpret_cast<sockaddr*>(&peer), &size) == 0) return std::nullopt;
    return "a socket that is connected to nobody";
}

UniqueFd inherited(int number)
{
    if (const auto socket = what_socket(number))
        throw StartError{ExitCode::configuration, "log.audit: descriptor " + std::to_string(number) + " is " + *socket +
                                                      ", which takes no line; systemd passes the sockets of its units "
                                                      "from 3 on: give the audit stream another number"};
    const int flags = ::fcntl(number, F_GETFL);
    UniqueFd copy{!sys::is_inherited(number) || (flags & O_ACCMODE) == O_RDONLY
                      ? -1
                      : ::fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
    if (!copy)
        throw StartError{ExitCode::configuration, "log.audit: descriptor " + std::to_string(number) +
                                                      " is not open for writing: whoever starts sallyport has to "
                                                      "pass it, as in `sallyport run " +
                                                      std::to_string(number) + ">>audit.log`"};
    return copy;
}

UniqueFd syslog()
{
    auto socket = sys::connect_syslog();
    if (!socket)
        throw StartError{ExitCode::unavailable,
                         std::string{"log.audit: there is no syslog at "} + sys::kSyslogPath + ": " +
                             socket.error().cause.message() +
                             "; mount the machine's socket into the container, or let the stream go to stdout"};
    return std::move(*socket);
}

} // namespace

UniqueFd open_audit_stream(const config::AuditStream& stream)
{
    switch (stream.place) {
    case config::AuditPlace::standard_output:
        return {};
    case config::AuditPlace::descriptor:
        return inherited(stream.descriptor);
    case config::AuditPlace::syslog:
        return syslog();
    }
    return {};
}

UniqueFd audit_stream_for_child(log::AuditPlace place)
{
    if (place != log::AuditPlace::syslog) return {};
    auto socket = sys::connect_syslog();
    return socket ? std::move(*socket) : UniqueFd{};
}

} // namespace sallyport::gatekeeper
