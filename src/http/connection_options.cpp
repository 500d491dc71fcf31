#include "connection_options.hpp"

#include <algorithm>

#include "characters.hpp"
#include "list.hpp"

namespace sallyport::http {

namespace {

void note(std::string_view option, ConnectionOptions& into)
{
    if (equal_but_for_case(option, "close")) {
        into.close = true;
        return;
    }
    const FieldName known = field_name(option);
    if (known == FieldName::other)
        into.nominated_others.push_back(option);
    else if (!kEndToEnd.contains(known))
        into.nominated.insert(known);
    into.keep_alive = into.keep_alive || known == FieldName::keep_alive;
    into.upgrade = into.upgrade || known == FieldName::upgrade;
}

} // namespace

bool ConnectionOptions::removes(const Field& field) const
{
    if (field.id != FieldName::other) return nominated.contains(field.id);
    return std::ranges::any_of(nominated_others,
                               [&](std::string_view name) { return equal_but_for_case(name, field.name); });
}

std::optional<Refusal> read_connection(const Fields& fields, ConnectionOptions& into)
{
    into.clear();
    std::size_t options = 0;
    for_each_element(fields, FieldName::connection, [&](std::string_view option) {
        if (++options <= kConnectionOptionsMax) note(option, into);
    });
    if (options > kConnectionOptionsMax) return Refusal::too_many_connection_options;
    return std::nullopt;
}

bool persists(Version version, const ConnectionOptions& options)
{
    if (options.close) return false;
    return version != Version::http10 || options.keep_alive;
}

} // namespace sallyport::http
