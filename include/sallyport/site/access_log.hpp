// One line for each exchange: structured fields, or the Common or Combined format that log readers know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sallyport/http/fields.hpp"
#include "sallyport/ipc/control.hpp"
#include "sallyport/log/log.hpp"
#include "sallyport/site/reason.hpp"
#include "sallyport/site/redaction.hpp"

namespace sallyport::site {

/// What is known of a connection that carries exchanges. What was not agreed on is empty.
struct ConnectionFacts {
    std::string_view client{}; ///< "192.0.2.1:40000", "[2001:db8::1]:40000", "unix:"
    std::string_view via{};    ///< the load balancer that has told so by a PROXY header; empty: nobody has
    std::string_view listener{};
    std::string_view tls{}; ///< "TLSv1.3"; empty: plaintext
    std::string_view cipher{};
    std::string_view group{};
    std::string_view sni{};
    std::string_view alpn{};
    bool resumed{false};
};

using MaybeMs = std::optional<std::uint64_t>; ///< nothing: it did not come to that

/// The facts of one exchange. Borrows everything until `write` returns. All that a client or an app chose may hold any
/// byte.
struct Exchange {
    ConnectionFacts connection{};

    std::string_view http{}; ///< "1.0", "1.1", "2"; empty if the head was not understood
    std::string_view method{};
    std::string_view host{};
    std::string_view target{};           ///< as it was sent
    const http::Fields* fields{nullptr}; ///< of the request; nullptr: not understood
    std::string_view request_id{};
    std::uint64_t number{0}; ///< of the request on its connection, from 1; in HTTP/2 the stream's id

    std::uint16_t status{0};            ///< the one that was sent; 0: none was, and the reason's is told
    std::uint64_t bytes_from_client{0}; ///< of the request's body, or of the tunnel
    std::uint64_t bytes_to_client{0};   ///< of the response's body, or of the tunnel

    std::uint64_t duration_ms{0};        ///< from the first byte of the request to the last of the response
    MaybeMs first_byte_ms{};             ///< from there to the first byte of the response
    MaybeMs upstream_ms{};               ///< from the request's being sent to the first byte of the app's response
    MaybeMs connect_ms{};                ///< how long connecting to the app took; nothing: none was needed
    std::string_view upstream{};         ///< its name; empty: the answer is ours
    std::string_view upstream_address{}; ///< empty: it did not come to that
    bool reused{false};                  ///< the connection to the app had carried an exchange before
    bool replayed{false};                ///< it died, and the request was sent again

    Reason reason{Reason::none};
    std::string_view detail{}; ///< `http::facts(refusal).name`, or what the kernel said; empty: the reason says it all
};

/// Owns: the buffers of a line, which grow to the largest one; then writing allocates nothing here. Lines go through
/// the log's bounded queue: a slow reader costs lines, which the log counts and reports. Thread: one (the shard's).
class AccessLog {
public:
    explicit AccessLog(const ipc::AccessLog& settings);

    /// Whether an exchange that ended so is written: ask before its facts are gathered.
    [[nodiscard]] bool wants(Reason reason) const { return on_ && log::enabled(facts(reason).level); }

    /// Writes the line, whatever `wants` says.
    void write(const Exchange& exchange);

private:
    class Line;
    enum class Shown : std::uint8_t { whole, url, redacted };
    struct LoggedField {
        std::string name;  ///< in lower case
        std::string label; ///< "header.x-tenant"
        http::FieldName id;
        Shown shown;
        std::string url; ///< of this exchange
    };

    void write_structured(const Exchange& exchange);
    void add_request(Line& line, const Exchange& exchange);
    [[nodiscard]] std::string_view shown(LoggedField& logged, std::string_view value) const;

    ipc::AccessFormat format_;
    bool on_;
    Redaction redaction_;
    std::vector<LoggedField> logged_;
    std::vector<log::Field> line_;
    std::string text_;
    std::string target_;
    std::string referer_;
};

} // namespace sallyport::site
