// Typed messages between the processes: one list of fields per message serves to write it, to read it and to bound it.
//
// A message is a plain struct with
//     static constexpr Kind kKind = …;                              // its first byte on the wire
//     template <typename A> void fields(A& a) { a(first, second); } // in wire order
// Integers travel little-endian at their own width, enums and bools as their underlying integer, text and lists with a
// 32-bit count. Reading is strict: too short, too long, over a limit or with bytes left over is malformed, and the
// caller ends the peer (style: no negotiation; both ends are of one build).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "sallyport/base/socket_address.hpp"

namespace sallyport::ipc {

/// The largest message that either side sends or accepts, in bytes; below the default SO_SNDBUF of a Unix socket.
inline constexpr std::size_t kMessageMax = 128 * 1024;
/// The most elements of any list in a message.
inline constexpr std::size_t kListMax = 4096;

using Bytes = std::vector<std::byte>;

class Writer {
public:
    template <typename... Ts>
    void operator()(Ts&... values)
    {
        (write(values), ...);
    }

    [[nodiscard]] Bytes take() { return std::move(bytes_); }

private:
    template <typename T>
        requires std::is_integral_v<T> || std::is_enum_v<T>
    void write(T value)
    {
        std::array<std::byte, sizeof(T)> raw;
        std::memcpy(raw.data(), &value, sizeof(T));
        bytes_.insert(bytes_.end(), raw.begin(), raw.end());
    }
    void write_raw(const void* data, std::size_t size);
    void write(const std::string& text);
    void write(const Bytes& bytes);
    void write(const SocketAddress& address);
    template <std::size_t N>
    void write(const std::array<std::byte, N>& bytes)
    {
        write_raw(bytes.data(), N);
    }
    template <typename T>
        requires(!std::is_same_v<T, std::byte>) // those go in one piece
    void write(std::vector<T>& list)
    {
        write(static_cast<std::uint32_t>(list.size()));
        for (T& element : list)
            write(element);
    }
    template <typename T>
        requires requires(T& t, Writer& w) { t.fields(w); }
    void write(T& composite)
    {
        composite.fields(*this);
    }

    Bytes bytes_;
};

class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) : rest_{bytes} {}

    template <typename... Ts>
    void operator()(Ts&... values)
    {
        (read(values), ...);
    }

    /// Everything was there, within the limits, and nothing is left over.
    [[nodiscard]] bool complete() const { return good_ && rest_.empty(); }

private:
    template <typename T>
        requires std::is_integral_v<T> || std::is_enum_v<T>
    void read(T& value)
    {
        if constexpr (std::is_same_v<T, bool>) {
            std::uint8_t raw{};
            read(raw);
            good_ = good_ && raw <= 1;
            value = raw == 1;
        } else {
            read_raw(&value, sizeof(T));
        }
    }
    void read_raw(void* into, std::size_t size);
    [[nodiscard]] std::span<const std::byte> take(std::size_t size);
    [[nodiscard]] std::uint32_t read_count(std::size_t limit);
    void read(std::string& text);
    void read(Bytes& bytes);
    void read(SocketAddress& address);
    template <std::size_t N>
    void read(std::array<std::byte, N>& bytes)
    {
        read_raw(bytes.data(), N);
    }
    template <typename T>
    void read(std::vector<T>& list)
    {
        const std::uint32_t count = read_count(kListMax);
        for (std::uint32_t i = 0; i < count && good_; ++i)
            read(list.emplace_back());
    }
    template <typename T>
        requires requires(T& t, Reader& r) { t.fields(r); }
    void read(T& composite)
    {
        composite.fields(*this);
    }

    std::span<const std::byte> rest_;
    bool good_{true};
};

/// The message with its kind in front. The caller checks `size() <= kMessageMax` through Channel::send.
template <typename Message>
[[nodiscard]] Bytes encode(Message message)
{
    Writer writer;
    auto kind = Message::kKind;
    writer(kind);
    message.fields(writer);
    return writer.take();
}

/// The first byte, or nothing for an empty message. Says nothing about the rest.
template <typename Kind>
[[nodiscard]] std::optional<Kind> kind_of(std::span<const std::byte> bytes)
{
    static_assert(sizeof(Kind) == 1);
    if (bytes.empty()) return std::nullopt;
    return static_cast<Kind>(bytes.front());
}

/// The message, or nothing if the bytes are not exactly one of this kind. Enums may hold values without a name: the
/// reader of such a field checks it (`is_known` beside the enum).
template <typename Message>
[[nodiscard]] std::optional<Message> decode(std::span<const std::byte> bytes)
{
    if (kind_of<std::remove_const_t<decltype(Message::kKind)>>(bytes) != Message::kKind) return std::nullopt;
    Reader reader{bytes.subspan(1)};
    Message message;
    message.fields(reader);
    if (!reader.complete()) return std::nullopt;
    return message;
}

} // namespace sallyport::ipc
