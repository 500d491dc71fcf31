#include "sallyport/crypto/openssl_error.hpp"

#include <cstdint>

#include <openssl/err.h>

namespace sallyport::crypto {

namespace {

// A packed error has 32 bits on every platform (err.h), so an int carries it and comes back unharmed.
unsigned long packed(int code)
{
    return static_cast<std::uint32_t>(code);
}

class OpensslCategory : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "openssl"; }

    [[nodiscard]] std::string message(int code) const override
    {
        if (ERR_SYSTEM_ERROR(packed(code))) return std::system_category().message(ERR_GET_REASON(packed(code)));
        const char* reason = ERR_reason_error_string(packed(code));
        return reason != nullptr ? reason : "error " + std::to_string(packed(code));
    }
};

} // namespace

const std::error_category& openssl_category()
{
    static const OpensslCategory category;
    return category;
}

std::error_code take_error()
{
    const auto code = static_cast<std::uint32_t>(ERR_get_error());
    ERR_clear_error();
    if (code == 0) return {};
    return {static_cast<int>(code), openssl_category()};
}

std::string take_error_text()
{
    const std::error_code code = take_error();
    return code ? code.message() : "no reason given";
}

std::unexpected<Error> fail_openssl(std::string_view doing, Fault fault, Side side)
{
    return fail(fault, side, doing, take_error());
}

} // namespace sallyport::crypto
