// Responses: what is forwarded is a response that is read the same way. The first byte is the request: 1 is HEAD.
#include "fuzz_target.hpp"
#include "sallyport/base/contract.hpp"
#include "sallyport/http/head_writer.hpp"

using namespace sallyport::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const Method asked = data[0] == 1 ? Method::head : Method::get;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    HeadScanner scanner{{}};
    const auto end = scanner.look(bytes);
    if (!end || *end == 0) return 0;
    SALLYPORT_ASSERT(*end <= bytes.size());
    ResponseHead head;
    if (!parse_response(bytes.substr(0, *end), {}, asked, head)) return 0;

    std::string written;
    write_response(written, head, {.framing = framing_for(Version::http11, head)});
    HeadScanner rescanner{{.head_bytes = written.size()}};
    const auto written_end = rescanner.look(written);
    SALLYPORT_ASSERT(written_end && *written_end == written.size());
    ResponseHead again;
    SALLYPORT_ASSERT(parse_response(written, {.fields = 1000}, asked, again).has_value());
    SALLYPORT_ASSERT(again.status == head.status && again.reason == head.reason);
    SALLYPORT_ASSERT(again.framing == framing_for(Version::http11, head));
    SALLYPORT_ASSERT(again.length_without_body == head.length_without_body);
    SALLYPORT_ASSERT(again.upgrade == head.upgrade);
    return 0;
}
