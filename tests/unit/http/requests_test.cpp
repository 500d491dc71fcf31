// Every row of tests/http/requests: what becomes of it, whole and cut at each byte.
#include "support/catch.hpp"
#include "support/http_forward.hpp"
#include "support/http_rows.hpp"

using namespace sallyport::http;
using namespace sallyport::http::test;

namespace {

const std::vector<Row>& rows()
{
    static const std::vector<Row> loaded = load_rows(SALLYPORT_SOURCE_DIR "/tests/http/requests");
    return loaded;
}

/// The verdict as one text, so that two of them can be compared.
std::string verdict(const Forwarder& f)
{
    if (f.refused) return "refused: " + std::string{facts(*f.refused).name};
    if (!f.complete) return "incomplete";
    return f.head + "|" + f.body + "|" + f.trailers + "|" + f.left;
}

std::string expected(const Row& row)
{
    if (!row.refused.empty()) return "refused: " + row.refused;
    if (row.incomplete) return "incomplete";
    return *row.forwarded + "|" + row.body.value_or("") + "|" + row.trailers + "|" + row.left;
}

} // namespace

TEST_CASE("What becomes of each request is what its row says", "[http][rows]")
{
    CHECK(rows().size() >= 300);
    for (const Row& row : rows()) {
        INFO(row.says << " (RFC " << row.rfc << "): " << row.message);
        Forwarder whole;
        whole.feed(row.message);
        CHECK(verdict(whole) == expected(row));
        if (whole.refused) CHECK(facts(*whole.refused).status == row.status);
    }
}

TEST_CASE("Where a request is cut does not matter", "[http][rows]")
{
    for (const Row& row : rows()) {
        // Every cut, but for those within the thousands of equal bytes that test a limit.
        const std::size_t step = row.message.size() > 4000 ? 61 : 1;
        const std::string once = expected(row);
        for (std::size_t cut = 0; cut <= row.message.size(); cut += step) {
            Forwarder halves;
            halves.feed(std::string_view{row.message}.substr(0, cut));
            halves.feed(std::string_view{row.message}.substr(cut));
            if (verdict(halves) == once) continue;
            INFO(row.says << ", cut at " << cut << ": " << row.message);
            CHECK(verdict(halves) == once);
        }
    }
}

TEST_CASE("A request may arrive byte by byte", "[http][rows]")
{
    for (const Row& row : rows()) {
        if (row.message.size() > 12'000) continue;
        Forwarder bytes;
        for (const char& c : row.message)
            bytes.feed({&c, 1});
        INFO(row.says << ": " << row.message);
        CHECK(verdict(bytes) == expected(row));
    }
}

TEST_CASE("What is forwarded is understood the same way again", "[http][rows]")
{
    for (const Row& row : rows()) {
        if (!row.forwarded) continue;
        Forwarder once;
        once.feed(row.message);
        Forwarder twice;
        twice.feed(once.wire);
        INFO(row.says << ": " << once.wire);
        REQUIRE(twice.complete);
        CHECK(twice.body == once.body);
        CHECK(twice.trailers == once.trailers);
        CHECK(twice.left.empty());
    }
}
