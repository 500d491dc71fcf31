// Forwards each request of standard input and prints what became of it, until the input ends. For the differential
// test.
//
// In: one request a line, in hexadecimal digits. Out, one line each: "refused REASON", "incomplete", or "forwarded WIRE
// BODY TRAILERS", the three in hexadecimal digits after a letter ("x"), so that none is empty.
#include <iostream>
#include <string>

#include "http_forward.hpp"

namespace {

using sallyport::http::test::Forwarder;

std::string from_hex(const std::string& digits)
{
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    return bytes;
}

std::string to_hex(const std::string& bytes)
{
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string digits = "x";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        digits += kDigits[byte >> 4U];
        digits += kDigits[byte & 0xFU];
    }
    return digits;
}

std::string verdict(const Forwarder& forwarder)
{
    if (forwarder.refused) return "refused " + std::string{facts(*forwarder.refused).name};
    if (!forwarder.complete) return "incomplete";
    return "forwarded " + to_hex(forwarder.wire) + " " + to_hex(forwarder.body) + " " + to_hex(forwarder.trailers);
}

} // namespace

int main()
{
    for (std::string line; std::getline(std::cin, line);) {
        Forwarder forwarder;
        forwarder.feed(from_hex(line));
        std::cout << verdict(forwarder) << std::endl;
    }
}
