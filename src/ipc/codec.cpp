#include "sallyport/ipc/codec.hpp"

namespace sallyport::ipc {

void Writer::write_raw(const void* data, std::size_t size)
{
    const auto* first = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
}

void Writer::write(const std::string& text)
{
    write(static_cast<std::uint32_t>(text.size()));
    write_raw(text.data(), text.size());
}

void Writer::write(const Bytes& bytes)
{
    write(static_cast<std::uint32_t>(bytes.size()));
    write_raw(bytes.data(), bytes.size());
}

void Writer::write(const SocketAddress& address)
{
    write(static_cast<std::uint32_t>(address.size()));
    write_raw(address.data(), address.size());
}

std::span<const std::byte> Reader::take(std::size_t size)
{
    if (!good_ || size > rest_.size()) {
        good_ = false;
        return {};
    }
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
}

void Reader::read_raw(void* into, std::size_t size)
{
    const auto raw = take(size);
    if (good_ && size > 0) std::memcpy(into, raw.data(), size);
}

std::uint32_t Reader::read_count(std::size_t limit)
{
    std::uint32_t count{};
    read(count);
    if (count > limit) good_ = false;
    return good_ ? count : 0;
}

void Reader::read(std::string& text)
{
    const auto raw = take(read_count(kMessageMax));
    text.assign(reinterpret_cast<const char*>(raw.data()), raw.size());
}

void Reader::read(Bytes& bytes)
{
    const auto raw = take(read_count(kMessageMax));
    bytes.assign(raw.begin(), raw.end());
}

void Reader::read(SocketAddress& address)
{
    const auto parsed = SocketAddress::from_bytes(take(read_count(sizeof(sockaddr_storage))));
    if (parsed)
        address = *parsed;
    else
        good_ = false;
}

} // namespace sallyport::ipc
