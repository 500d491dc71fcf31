#include "sallyport/sys/file_text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "sallyport/base/unique_fd.hpp"

namespace sallyport::sys {

namespace {

constexpr std::size_t kTextMax = std::size_t{1024} * 1024;
constexpr std::string_view kBlanks = " \t";

} // namespace

std::optional<std::string> read_text(const std::string& path)
{
    const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) return std::nullopt;
    std::string text;
    std::array<char, 4096> part{};
    while (text.size() < kTextMax) {
        const ssize_t size = ::read(file.get(), part.data(), part.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return std::nullopt;
        if (size == 0) break;
        text.append(part.data(), static_cast<std::size_t>(size));
    }
    return text;
}

std::string_view take_line(std::string_view& rest)
{
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

std::string_view take_word(std::string_view& rest)
{
    rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
    const std::string_view word = rest.substr(0, rest.find_first_of(kBlanks));
    rest.remove_prefix(word.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
    return word;
}

} // namespace sallyport::sys
