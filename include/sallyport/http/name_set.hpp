// Names of fields that a route removes, and what may be a field's name and value at all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sallyport/http/fields.hpp"

namespace sallyport::http {

/// Names of fields, made once for a route. Case does not matter, nor '_' instead of '-': an app behind WSGI or CGI sees
/// the same.
class NameSet {
public:
    void insert(std::string_view name);
    void insert(FieldSet names) { known_ = known_ | names; }
    [[nodiscard]] bool contains(const Field& field) const;
    /// Those of them that have a FieldName.
    [[nodiscard]] FieldSet known() const { return known_; }

private:
    FieldSet known_;
    std::vector<std::string> others_;
};

[[nodiscard]] bool is_token(std::string_view text);       ///< RFC 9110 §5.6.2: a method, a field name
[[nodiscard]] bool is_field_value(std::string_view text); ///< RFC 9110 §5.5: without blanks at its ends; may be empty

} // namespace sallyport::http
