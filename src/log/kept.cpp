#include "kept.hpp"

namespace sallyport::log {

KeptEvent::KeptEvent(const Event& event)
    : time_{event.time}, level_{event.level}, audit_{event.audit}, text_{keep(event.text)}, as_is_{event.as_is}
{
    for (const Field& field : event.fields) {
        fields_.push_back(field);
        fields_.back().name = keep(field.name);
        if (auto* text = std::get_if<std::string_view>(&fields_.back().value)) *text = keep(*text);
    }
}

Event KeptEvent::event() const
{
    return {time_, level_, audit_, text_, fields_, as_is_};
}

std::string_view KeptEvent::keep(std::string_view text)
{
    return texts_.emplace_back(text);
}

} // namespace sallyport::log
