// A message's body, put into the framing that its head has promised.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "sallyport/http/chunk_writer.hpp"
#include "sallyport/http/message.hpp"

namespace sallyport::http {

/// One body at a time. It holds no bytes. Thread: its owner's.
class BodyWriter {
public:
    /// `removed`: what the route removes from trailers; may be nullptr; is borrowed until the end.
    void begin(const Framing& framing, const NameSet* removed = nullptr)
    {
        framing_ = framing;
        removed_ = removed;
        first_ = true;
    }

    /// The bytes go out as they are; otherwise they have to pass through `append`.
    [[nodiscard]] bool verbatim() const { return framing_.kind != Framing::Kind::chunked; }

    /// Appends this piece of the body (it may be empty), and the body's end if this is the last one, with the trailers
    /// that the framing can carry.
    void append(std::string& out, std::span<const std::byte> bytes, bool end, const Fields* trailers);

private:
    Framing framing_{};
    const NameSet* removed_{nullptr};
    bool first_{true};
};

} // namespace sallyport::http
