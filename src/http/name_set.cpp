#include "sallyport/http/name_set.hpp"

#include <algorithm>

#include "characters.hpp"

namespace sallyport::http {

namespace {

bool equal_when_folded(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, {}, folded, folded);
}

} // namespace

void NameSet::insert(std::string_view name)
{
    const FieldName known = field_name(name);
    if (known == FieldName::other)
        others_.emplace_back(name);
    else
        known_.insert(known);
}

bool NameSet::contains(const Field& field) const
{
    if (field.id != FieldName::other) return known_.contains(field.id);
    return std::ranges::any_of(others_, [&](const std::string& name) { return equal_when_folded(name, field.name); });
}

bool is_token(std::string_view text)
{
    return consists_of(text, kTokenByte);
}

bool is_field_value(std::string_view text)
{
    if (text.empty()) return true;
    return consists_of(text, kValueByte) && !is_blank(text.front()) && !is_blank(text.back());
}

} // namespace sallyport::http
