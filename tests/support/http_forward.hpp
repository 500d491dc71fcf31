// One request through the whole of src/http, as the proxy does it: the head found, parsed and written anew, the body
// decoded and encoded again. What tests, fuzz targets and tools have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sallyport/http/chunk_writer.hpp"
#include "sallyport/http/chunked_decoder.hpp"
#include "sallyport/http/head_writer.hpp"

namespace sallyport::http::test {

/// Takes a request as it arrives, in any pieces.
class Forwarder {
public:
    explicit Forwarder(const Limits& limits = {}) : limits_{limits} {}

    void feed(std::string_view piece)
    {
        if (refused || complete) {
            left.append(piece);
        } else if (!request) {
            feed_head(piece);
        } else {
            feed_body(piece);
        }
    }

    std::optional<Refusal> refused{};
    std::string largest_field{};
    std::optional<RequestHead> request{}; ///< once its head was accepted; borrows `received`
    std::string received{};               ///< the head, as it came
    std::string head{};                   ///< as it is forwarded
    std::string body{};                   ///< without its framing
    std::string trailers{};               ///< as lines
    std::string wire{};                   ///< all that is forwarded
    std::string left{};                   ///< what came after the request's end
    bool complete{false};

private:
    void refuse(const Refused& why)
    {
        refused = why.reason;
        largest_field = why.field;
    }

    void feed_head(std::string_view piece)
    {
        received.append(piece);
        const auto size = scanner_.look(received);
        if (!size) return refuse(size.error());
        if (*size == 0) return;
        const std::string rest = received.substr(*size);
        received.resize(*size);
        RequestHead parsed;
        if (const auto accepted = parse_request(received, limits_, parsed); !accepted) return refuse(accepted.error());
        write_request(head, parsed, {.default_host = "app.internal"});
        request = std::move(parsed);
        wire = head;
        bytes_left_ = request->framing.length;
        feed_body(rest);
    }

    void feed_body(std::string_view piece)
    {
        if (request->framing.kind == Framing::Kind::chunked) return feed_chunks(piece);
        const std::string_view taken = piece.substr(0, bytes_left_);
        bytes_left_ -= taken.size();
        body.append(taken);
        wire.append(taken);
        left.append(piece.substr(taken.size()));
        complete = bytes_left_ == 0;
    }

    void feed_chunks(std::string_view piece)
    {
        while (!piece.empty() && !decoder_.ended()) {
            const auto step = decoder_.next(piece);
            if (!step) return refuse({step.error()});
            piece.remove_prefix(step->taken);
            if (step->body.empty()) continue;
            wire.append(ChunkPrefix{step->body.size(), body.empty()}.text()).append(step->body);
            body.append(step->body);
        }
        if (!decoder_.ended()) return;
        for (const Field& field : decoder_.trailers())
            trailers.append(field.name).append(": ").append(field.value).append("\r\n");
        append_last_chunk(wire, decoder_.trailers(), nullptr, body.empty());
        left.append(piece);
        complete = true;
    }

    Limits limits_;
    HeadScanner scanner_{limits_};
    ChunkedDecoder decoder_{limits_};
    std::uint64_t bytes_left_{0};
};

} // namespace sallyport::http::test
