// The server names of a listener: an exact name, then a wildcard for one label, found without an allocation.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace sallyport::tls {

/// The longest host name (RFC 1035 §2.3.4), with room for the root's dot.
inline constexpr std::size_t kServerNameMax = 254;

/// Lower case, without the root's dot, in the caller's buffer. Nothing if it is empty or too long for a name.
[[nodiscard]] std::optional<std::span<char>> normal_name(std::string_view name,
                                                         std::array<char, kServerNameMax>& buffer);

/// Maps names to values of T, a cheap copy.
template <typename T>
class NameTable {
public:
    /// "example.com" or "*.example.com", in lower case.
    void add(std::string name, T value) { values_.insert_or_assign(std::move(name), value); }

    /// As the client sent it: any case, perhaps with the root's dot.
    [[nodiscard]] std::optional<T> find(std::string_view server_name) const
    {
        std::array<char, kServerNameMax> buffer;
        const std::optional<std::span<char>> name = normal_name(server_name, buffer);
        if (!name) return std::nullopt;
        if (const std::optional<T> exact = value_of({name->data(), name->size()})) return exact;
        return find_wildcard(*name);
    }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };

    /// RFC 6125 §6.4.3: the asterisk stands for the whole leftmost label, and for no more.
    [[nodiscard]] std::optional<T> find_wildcard(std::span<char> name) const
    {
        const std::size_t dot = std::string_view{name.data(), name.size()}.find('.');
        if (dot == std::string_view::npos || dot == 0) return std::nullopt;
        name[dot - 1] = '*';
        return value_of({name.data() + dot - 1, name.size() - dot + 1});
    }

    [[nodiscard]] std::optional<T> value_of(std::string_view name) const
    {
        const auto at = values_.find(name);
        if (at == values_.end()) return std::nullopt;
        return at->second;
    }

    std::unordered_map<std::string, T, Hash, std::equal_to<>> values_;
};

} // namespace sallyport::tls
