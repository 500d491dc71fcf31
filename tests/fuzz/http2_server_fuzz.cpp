// A client's bytes, any bytes: how they are cut does not matter to what is understood, what is passed on is HTTP/1.1
// that is read the same way again, and nothing is kept at the end. The first byte is the size of the pieces (0: one
// piece).
#include "../support/http2_pair.hpp"
#include "fuzz_target.hpp"
#include "sallyport/base/contract.hpp"

namespace {

using namespace sallyport::http2;
namespace http = sallyport::http;

/// What is written anew may be larger.
constexpr http::Limits kLarger{
    .head_bytes = 1 << 20, .target_bytes = 1 << 20, .fields = 1000, .trailer_bytes = 1 << 20};

void check_forwarded(const http::RequestHead& head)
{
    std::string written;
    http::write_request(written, head, {});
    http::RequestHead again;
    SALLYPORT_ASSERT(http::parse_request(written, kLarger, again));
    SALLYPORT_ASSERT(again.host == head.host && again.path == head.path && again.framing == head.framing);
}

/// An app's answer to everything.
class Answering {
public:
    explicit Answering(std::string_view bytes, std::size_t piece)
    {
        if (!bytes.starts_with("PRI")) test::feed(session_, test::hello());
        for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
            test::feed(session_, bytes.substr(0, piece));
            look();
            SALLYPORT_ASSERT(session_.bytes_held() <= Options{}.connection_window + kResponse.size() * 100);
        }
        static_cast<void>(test::output_of(session_));
        look();
    }
    std::string told;

private:
    static constexpr std::string_view kResponse = "hello";

    void look()
    {
        while (ServerStream* const stream = session_.next_news())
            look_at(*stream);
    }
    void look_at(ServerStream& stream)
    {
        if (stream.user == nullptr) begin(stream);
        if (stream.unsent() == 0) session_.take(stream, stream.arrived().size());
        if (stream.broken() || stream.arrived_all()) session_.release(stream);
    }
    void begin(ServerStream& stream)
    {
        stream.user = this;
        told += stream.refused() ? http::facts(stream.refused()->reason).name : "ok";
        told += std::to_string(stream.id());
        if (!stream.refused()) check_forwarded(stream.head());
        http::ResponseHead head;
        head.status = 200;
        session_.respond(stream, head, {}, true);
        static_cast<void>(session_.send(stream, test::bytes_of(kResponse)));
        session_.finish(stream);
    }

    StreamPool<ServerStream> pool_;
    ServerSession session_{{}, pool_};
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    const Answering whole{bytes, bytes.size() + 1};
    const Answering pieces{bytes, data[0] == 0 ? bytes.size() + 1 : data[0]};
    SALLYPORT_ASSERT(whole.told == pieces.told);
    return 0;
}
