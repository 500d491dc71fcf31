#include "systemd_sockets.hpp"

#include <charconv>

namespace sallyport::gatekeeper {

namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
constexpr int kMost = 512; // what a unit can reasonably pass; keeps a nonsense number from a long loop

int number(const std::optional<std::string>& text)
{
    int value{};
    if (!text) return 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    return error == std::errc{} && end == text->data() + text->size() ? value : 0;
}

/// Takes the first of names joined by ':'. Without one: what sd_listen_fds_with_names(3) says.
std::string take_name(std::string_view& names)
{
    const std::string_view name = names.substr(0, names.find(':'));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    return name.empty() ? "unknown" : std::string{name};
}

} // namespace

std::vector<PassedSocket> passed_sockets(pid_t self, const ReadVariable& variable)
{
    std::vector<PassedSocket> sockets;
    const int count = number(variable("LISTEN_FDS"));
    if (number(variable("LISTEN_PID")) != self || count > kMost) return sockets;
    const std::string all = variable("LISTEN_FDNAMES").value_or("");
    std::string_view names = all;
    for (int i = 0; i < count; ++i)
        sockets.push_back({.name = take_name(names), .number = kFirst + i});
    return sockets;
}

std::vector<int> numbers_named(const std::vector<PassedSocket>& sockets, std::string_view name)
{
    std::vector<int> numbers;
    for (const PassedSocket& socket : sockets)
        if (socket.name == name) numbers.push_back(socket.number);
    return numbers;
}

} // namespace sallyport::gatekeeper
