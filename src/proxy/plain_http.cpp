#include "plain_http.hpp"

#include <span>

namespace sallyport::proxy {

namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 400 Bad Request\r\n"
                                     "Content-Type: text/plain\r\n"
                                     "Content-Length: 51\r\n"
                                     "Connection: close\r\n"
                                     "\r\n"
                                     "This port speaks HTTPS: use https:// in the address";

static_assert(kAnswer.substr(kAnswer.find("\r\n\r\n") + 4).size() == 51);

} // namespace

void answer_plain_http(net::Socket& client)
{
    if (client.send(std::as_bytes(std::span{kAnswer}))) client.finish_writing();
}

} // namespace sallyport::proxy
