#include "sallyport/base/result.hpp"

#include <cerrno>
#include <csignal>
#include <set>
#include <string_view>

#include "sallyport/base/build.hpp"
#include "sallyport/base/contract.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"

using namespace sallyport;

TEST_CASE("A failed system call carries errno, as our own internal fault", "[base][result]")
{
    errno = EMFILE;
    const Result<int> result = fail_errno("opening a file");
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().fault == Fault::internal);
    CHECK(result.error().side == Side::self);
    CHECK(result.error().doing == "opening a file");
    CHECK(result.error().cause == std::error_code{EMFILE, std::system_category()});
}

TEST_CASE("Every fault and every side has a name of its own", "[base][result]")
{
    std::set<std::string_view> faults;
    for (int i = 0; i <= static_cast<int>(Fault::internal); ++i)
        faults.insert(name(static_cast<Fault>(i)));
    CHECK(faults.size() == static_cast<std::size_t>(Fault::internal) + 1);
    CHECK(std::set{name(Side::client), name(Side::upstream), name(Side::self)}.size() == 3);
}

TEST_CASE("A broken contract ends the process", "[base][contract]")
{
    CHECK(test::in_child([] { SALLYPORT_ASSERT(1 + 1 == 2); }) == 0);
    CHECK(test::in_child([] {
              ::close(STDERR_FILENO);
              SALLYPORT_ASSERT(1 + 1 == 3);
          }) == 128 + SIGABRT);
}

TEST_CASE("The build id begins with the version", "[base][build]")
{
    CHECK(build_id().starts_with(version()));
    CHECK(build_id().size() > version().size() + 1);
}
