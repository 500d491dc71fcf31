// The elements of a list-based field (RFC 9110 §5.6.1).
#pragma once

#include <string_view>

#include "characters.hpp"
#include "sallyport/http/fields.hpp"

namespace sallyport::http {

/// Calls `use` with each element of a value that is not empty, without the blanks around it.
template <typename Use>
void for_each_element(std::string_view value, Use use)
{
    while (!value.empty()) {
        const std::size_t comma = value.find(',');
        const std::string_view element = trimmed(value.substr(0, comma));
        if (!element.empty()) use(element);
        value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
    }
}

/// The same over all fields of this name, which are one list (RFC 9110 §5.3).
template <typename Use>
void for_each_element(const Fields& fields, FieldName name, Use use)
{
    if (fields.find(name) == nullptr) return;
    for (const Field& field : fields)
        if (field.id == name) for_each_element(field.value, use);
}

} // namespace sallyport::http
