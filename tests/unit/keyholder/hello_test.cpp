#include "sallyport/keyholder/keyholder.hpp"

#include <array>

#include <unistd.h>

#include "sallyport/base/build.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/ipc/codec.hpp"
#include "support/catch.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;

TEST_CASE("The first message must be the Hello of our own build", "[keyholder][process]")
{
    auto [near, far] = sys::Channel::pair().value();
    SECTION("it is")
    {
        ipc::Hello hello;
        hello.build_id = std::string{build_id()};
        hello.shards = 3;
        REQUIRE(near.send(ipc::encode(hello)).has_value());
        CHECK(take_hello(far)->hello.shards == 3);
    }
    SECTION("it is, with the descriptor of the audit stream")
    {
        ipc::Hello hello;
        hello.build_id = std::string{build_id()};
        hello.log.audit = 1;
        REQUIRE(near.send(ipc::encode(hello), std::array{0}).has_value());
        CHECK(take_hello(far)->audit);
        REQUIRE(near.send(ipc::encode(hello)).has_value());
        CHECK_THROWS_WITH(take_hello(far), Catch::Contains("descriptors"));
    }
    SECTION("another build's")
    {
        ipc::Hello hello;
        hello.build_id = "0.0.0+other";
        REQUIRE(near.send(ipc::encode(hello)).has_value());
        CHECK_THROWS_WITH(take_hello(far), Catch::Contains("0.0.0+other") && Catch::Contains("all three"));
    }
    SECTION("another message")
    {
        REQUIRE(near.send(ipc::encode(ipc::Load{})).has_value());
        CHECK_THROWS_AS(take_hello(far), StartError);
    }
    SECTION("the gatekeeper is gone")
    {
        near = {};
        CHECK_FALSE(take_hello(far).has_value());
    }
    SECTION("no channel")
    {
        sys::Channel none{UniqueFd{dup(0)}};
        CHECK_THROWS_WITH(take_hello(none), Catch::Contains("started by sallyport"));
    }
}
