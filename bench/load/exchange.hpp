// One HTTP/1.1 request and its response over a link. Of the response only its length is understood.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/link.hpp"

namespace bench {

class Exchange {
public:
    /// `head` is borrowed until the exchange is done; a body of so many bytes follows it.
    void begin(std::string_view head, std::uint64_t body = 0);
    /// As far as the link allows. Done: the whole response has been read, and nothing more.
    [[nodiscard]] Progress advance(Link& link);

private:
    [[nodiscard]] Progress send_request(Link& link);
    [[nodiscard]] Progress read_response(Link& link);
    [[nodiscard]] bool take(std::string_view data);

    std::string_view unsent_;
    std::uint64_t unsent_body_{};
    std::string head_;
    std::uint64_t body_left_{};
    bool in_body_{};
};

} // namespace bench
