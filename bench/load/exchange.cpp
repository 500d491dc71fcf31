#include "load/exchange.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace bench {

namespace {

constexpr std::size_t kRead = 256 * 1024;
// A multiple of the largest record.
constexpr std::size_t kWrite = 128 * 1024;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::vector<char> shared_buffer(kRead);
const std::string zeros(kWrite, '0');

std::uint64_t content_length(std::string_view head)
{
    constexpr std::string_view kName = "content-length: ";
    const auto place = std::search(head.begin(), head.end(), kName.begin(), kName.end(),
                                   [](char a, char b) { return (a | 0x20) == (b | 0x20); });
    std::uint64_t value{};
    if (place == head.end()) return value;
    const auto* first = &*place + kName.size();
    std::from_chars(first, head.data() + head.size(), value);
    return value;
}

} // namespace

void Exchange::begin(std::string_view head, std::uint64_t body)
{
    unsent_ = head;
    unsent_body_ = body;
    head_.clear();
    body_left_ = 0;
    in_body_ = false;
}

Progress Exchange::advance(Link& link)
{
    const Progress sent = send_request(link);
    if (sent == Progress::failed) return sent;
    // While an upload waits for room, nothing is read: a response before its end would be a mistake of the proxy's.
    return sent == Progress::done ? read_response(link) : Progress::waiting;
}

Progress Exchange::send_request(Link& link)
{
    while (!unsent_.empty() || unsent_body_ > 0) {
        const bool head = !unsent_.empty();
        const auto part =
            head ? unsent_ : std::string_view{zeros}.substr(0, std::min<std::uint64_t>(unsent_body_, kWrite));
        const auto sent = link.send(part);
        if (sent == Link::kWouldBlock) return Progress::waiting;
        if (sent <= 0) return Progress::failed;
        if (head)
            unsent_.remove_prefix(static_cast<std::size_t>(sent));
        else
            unsent_body_ -= static_cast<std::uint64_t>(sent);
    }
    return Progress::done;
}

Progress Exchange::read_response(Link& link)
{
    for (;;) {
        const auto got = link.receive(shared_buffer);
        if (got == Link::kWouldBlock) return Progress::waiting;
        if (got <= 0) return Progress::failed;
        if (!take({shared_buffer.data(), static_cast<std::size_t>(got)})) return Progress::failed;
        if (in_body_ && body_left_ == 0) return Progress::done;
    }
}

/// False if it is not a "200" or if more came than the response has.
bool Exchange::take(std::string_view data)
{
    if (!in_body_) {
        head_.append(data);
        const auto end = head_.find(kHeadEnd);
        if (end == std::string::npos) return true;
        const std::string_view head = std::string_view{head_}.substr(0, end + kHeadEnd.size());
        if (!head.starts_with("HTTP/1.1 200")) return false;
        body_left_ = content_length(head);
        in_body_ = true;
        data = std::string_view{head_}.substr(head.size());
    }
    if (data.size() > body_left_) return false;
    body_left_ -= data.size();
    return true;
}

} // namespace bench
