// A pipe for one test.
#pragma once

#include <array>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "sallyport/base/unique_fd.hpp"
#include "support/catch.hpp"

namespace sallyport::test {

struct Pipe {
    Pipe()
    {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        read.reset(ends[0]);
        write.reset(ends[1]);
    }

    /// One page: the least room that a pipe can have.
    void make_narrow() const { REQUIRE(::fcntl(write.get(), F_SETPIPE_SZ, 4096) == 4096); }
    void make_non_blocking() const { REQUIRE(::fcntl(write.get(), F_SETFL, O_NONBLOCK) == 0); }

    UniqueFd read;
    UniqueFd write;
};

} // namespace sallyport::test
