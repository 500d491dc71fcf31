// What a session keeps; nghttp2 is known here and in the .cpp files alone.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "calm.hpp"
#include "head_block.hpp"
#include "sallyport/http2/session.hpp"

namespace sallyport::http2 {

/// Tells the answer to the drain's ping.
inline constexpr std::array<std::uint8_t, 8> kDrainPing{'d', 'r', 'a', 'i', 'n', 'i', 'n', 'g'};

struct DeleteLibrary {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};

struct Session::State {
    State(Role which, const Options& chosen) : role{which}, options{chosen} {}

    Role role;
    Options options;
    std::unique_ptr<nghttp2_session, DeleteLibrary> library;
    Calm calm;
    HeadBlock block;

    Stream* live{nullptr}; ///< all streams, held or open
    std::vector<Stream*> news;
    std::size_t next_news{0};
    std::size_t held{0};
    std::size_t open{0};
    std::size_t bytes_held{0};

    std::span<std::byte> output; ///< of the `pull` that runs
    std::size_t output_used{0};

    std::optional<Error> failure;
    std::string_view last_complaint; ///< of nghttp2's, about a frame
    std::string_view flood;          ///< of what, if any
    bool draining{false};
    bool peer_drains{false};
    bool peer_settings{false};

    [[nodiscard]] nghttp2_session* raw() const { return library.get(); }
};

/// A head on its way to nghttp2, which copies it. Borrows all that is added.
class NameValues {
public:
    void add(std::string_view name, std::string_view value)
    {
        list_.push_back({octets(name), octets(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    /// `digits` holds the value's text.
    template <std::size_t size>
    void add_number(std::string_view name, std::uint64_t value, std::array<char, size>& digits)
    {
        const char* const end = std::to_chars(digits.data(), digits.data() + size, value).ptr;
        add(name, {digits.data(), end});
    }
    [[nodiscard]] const nghttp2_nv* data() const { return list_.data(); }
    [[nodiscard]] std::size_t size() const { return list_.size(); }
    void clear() { list_.clear(); }

private:
    /// nghttp2_nv is for reading and for writing.
    static std::uint8_t* octets(std::string_view text)
    {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    }
    std::vector<nghttp2_nv> list_;
};

/// The thread's own, emptied: heads are built one at a time.
[[nodiscard]] NameValues& fresh_name_values();

/// For the session's constructor: callbacks and limits of nghttp2, and where DATA comes from.
[[nodiscard]] nghttp2_session* make_library(Session& session, bool server);
[[nodiscard]] nghttp2_data_provider data_of(Stream& stream);

/// nghttp2 fails to queue a frame for lack of memory alone, or by our mistake.
void must_succeed(int answer);

} // namespace sallyport::http2
