// The fields of one head, as views of its bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "sallyport/http/field_name.hpp"

namespace sallyport::http {

struct Field {
    std::string_view name;  ///< as it was sent
    std::string_view value; ///< without the blanks around it
    FieldName id;
};

/// In the order of their lines. Borrows: the head's bytes. Reused, it allocates only to grow.
class Fields {
public:
    void add(std::string_view name, std::string_view value) { add({name, value, field_name(name)}); }
    void add(const Field& field)
    {
        list_.push_back(field);
        present_.insert(field.id);
    }
    void clear()
    {
        list_.clear();
        present_ = {};
    }
    /// Removes the known names of the set.
    void remove(FieldSet names)
    {
        std::erase_if(list_, [&](const Field& field) { return names.contains(field.id); });
    }

    [[nodiscard]] auto begin() const { return list_.begin(); }
    [[nodiscard]] auto end() const { return list_.end(); }
    [[nodiscard]] std::size_t size() const { return list_.size(); }
    [[nodiscard]] bool empty() const { return list_.empty(); }

    /// The first field of this name, or nullptr: without a search if there is none.
    [[nodiscard]] const Field* find(FieldName name) const
    {
        if (!present_.contains(name)) return nullptr;
        for (const Field& field : list_)
            if (field.id == name) return &field;
        return nullptr;
    }
    [[nodiscard]] std::size_t count(FieldName name) const
    {
        if (!present_.contains(name)) return 0;
        return static_cast<std::size_t>(std::count_if(begin(), end(), [&](const Field& f) { return f.id == name; }));
    }

private:
    std::vector<Field> list_;
    FieldSet present_;
};

} // namespace sallyport::http
