// An app's bytes, any bytes, to three requests that are on their way. The first byte is the size of the pieces (0:
// one).
#include <map>

#include "../support/http2_pair.hpp"
#include "fuzz_target.hpp"
#include "sallyport/base/contract.hpp"

namespace {

using namespace sallyport::http2;
namespace http = sallyport::http;

constexpr http::Limits kLarger{
    .head_bytes = 1 << 20, .target_bytes = 1 << 20, .fields = 1000, .trailer_bytes = 1 << 20};

void check_forwarded(const http::ResponseHead& head)
{
    std::string written;
    http::write_response(written, head, {.framing = http::framing_for(http::Version::http11, head)});
    http::ResponseHead again;
    SALLYPORT_ASSERT(http::parse_response(written, kLarger, http::Method::get, again));
    SALLYPORT_ASSERT(again.status == head.status);
}

class Asking {
public:
    Asking(std::string_view bytes, std::size_t piece)
    {
        for (const test::Request* request : {&get_, &post_, &websocket_})
            static_cast<void>(test::ask(session_, request->head()));
        static_cast<void>(test::output_of(session_));
        for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
            test::feed(session_, bytes.substr(0, piece));
            while (ClientStream* const stream = session_.next_news())
                look_at(*stream);
        }
        static_cast<void>(test::output_of(session_));
        SALLYPORT_ASSERT(session_.bytes_held() <= Options{}.connection_window);
    }
    std::map<std::int32_t, std::string> told; ///< by stream: which is looked at first is no matter

private:
    void look_at(ClientStream& stream)
    {
        for (; stream.head() != nullptr && stream.user == nullptr; stream.pass_interim()) {
            told[stream.id()] += std::to_string(stream.head()->status) + " ";
            check_forwarded(*stream.head());
            if (!stream.head()->is_interim()) stream.user = this;
        }
        session_.take(stream, stream.arrived().size());
        if (stream.broken() || stream.arrived_all()) session_.release(stream);
    }

    test::Request get_{"GET / HTTP/1.1\nHost: a\n"};
    test::Request post_{"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n"};
    test::Request websocket_{"GET / HTTP/1.1\nHost: a\nConnection: upgrade\nUpgrade: websocket\n"};
    StreamPool<ClientStream> pool_;
    ClientSession session_{{}, pool_};
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    const Asking whole{bytes, bytes.size() + 1};
    const Asking pieces{bytes, data[0] == 0 ? bytes.size() + 1 : data[0]};
    SALLYPORT_ASSERT(whole.told == pieces.told);
    return 0;
}
