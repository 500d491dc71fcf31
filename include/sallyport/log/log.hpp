// The one log of a process: lines of JSON or plain text on standard output, written by one thread from a bounded queue.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace sallyport::log {

/// In rising order of importance; `none` silences everything but the audit stream.
enum class Level : std::uint8_t { debug, info, warn, error, none };
enum class Format : std::uint8_t { json, plain };

/// Where audit lines go. Beside standard output they are JSON, whatever the format is.
enum class AuditPlace : std::uint8_t {
    standard_output, ///< among the others
    descriptor,
    syslog ///< a connected datagram socket, one datagram a line as syslog(3) writes them
};

/// A named value of a line. Borrows its text until the call returns.
struct Field {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, std::uint64_t, bool> value;

    Field(std::string_view n, std::string_view v) : name{n}, value{v} {}
    Field(std::string_view n, const std::string& v) : name{n}, value{std::string_view{v}} {}
    Field(std::string_view n, const char* v) : name{n}, value{std::string_view{v}} {}
    Field(std::string_view n, bool v) : name{n}, value{v} {}
    template <typename T>
        requires std::is_integral_v<T> && std::is_signed_v<T>
    Field(std::string_view n, T v) : name{n}, value{static_cast<std::int64_t>(v)}
    {
    }
    template <typename T>
        requires std::is_integral_v<T> && std::is_unsigned_v<T> && (!std::is_same_v<T, bool>)
    Field(std::string_view n, T v) : name{n}, value{static_cast<std::uint64_t>(v)}
    {
    }
};

/// Enough for a process that writes a line now and then: the gatekeeper, the keyholder.
inline constexpr std::uint32_t kFewLines = 512;

struct Options {
    Level level{Level::info};
    Format format{Format::json};
    std::string process{};           ///< "gatekeeper", "keyholder", "worker": on every line
    std::uint32_t queue_lines{8192}; ///< a full queue drops its oldest line and counts it
    std::string chain{};             ///< of the audit lines, from `new_chain`; empty: one is made
    AuditPlace audit_place{AuditPlace::standard_output};
    int audit_fd{-1}; ///< of the last two places. Borrowed for good. If its reader stands still, so does the whole log,
                      ///< but never a caller
};

/// An id for the audit lines of one process: 16 hex digits, unlike any other's.
[[nodiscard]] std::string new_chain();

/// Starts the log thread. Until then lines are kept (at most 1024) and are written when it starts, so a process may
/// confine itself first: capabilities and no_new_privs are of a thread, and the log thread inherits the caller's.
/// Never sets O_NONBLOCK: standard output is shared with strangers. Ignores SIGPIPE in the whole process: a reader that
/// goes away costs lines, not the process. The log thread takes no signals. Once per process. Throws StartError
/// (os_error) if the kernel gives no thread.
void start(const Options& options);

/// Writes what is queued and ends the thread. Waits for the reader, at most 2 s in all; what it has no room for by then
/// is lost. Lines that come later are written at once, unqueued, if there is room. The last act of a main, also of one
/// that never started the log: what was kept is then written as JSON.
void stop();

/// Whether a line of this level is written: ask before costly fields are made.
[[nodiscard]] bool enabled(Level level);

/// Any thread; never blocks on the output. `event` is static, lower-case prose: "connection ended". A line is at most
/// 4096 bytes (PIPE_BUF: lines of several processes never mix), a value 1024: longer values end in "…", and fields that
/// do not fit are replaced by `cut` = true. Whatever bytes a value holds, it cannot end the line or move the terminal.
void write(Level level, std::string_view event, std::span<const Field> fields);

/// A line of a format of its own, such as Common's, written as it is: without time and level, at most 4096 bytes, each
/// control character a '?'. The level decides only whether it is written.
void write_as_is(Level level, std::string_view line);

inline void write(Level level, std::string_view event, std::initializer_list<Field> fields)
{
    write(level, event, std::span{fields.begin(), fields.size()});
}
inline void debug(std::string_view event, std::initializer_list<Field> fields = {})
{
    write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {})
{
    write(Level::info, event, fields);
}
inline void warn(std::string_view event, std::initializer_list<Field> fields = {})
{
    write(Level::warn, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {})
{
    write(Level::error, event, fields);
}

/// The last audit line of a process that ends in good order, written by `stop` if there was one before.
inline constexpr std::string_view kChainEnds = "audit stream ends";

/// A privileged act: the same line with `"stream":"audit"`, whatever the level is. Audit lines have a queue of their
/// own (1024 lines), so a flood of others drops none of them; they keep their place among the others. Each carries its
/// chain, its number in it and a hash (verify.hpp): one SHA-256 over the line, under the lock of the log.
void audit(std::string_view event, std::initializer_list<Field> fields = {});

/// Lines lost to a full queue, as far as the log thread has come. Also reported in a line of its own ("log lines
/// dropped", at level warn) once the queue has room again.
[[nodiscard]] std::uint64_t dropped();

} // namespace sallyport::log
