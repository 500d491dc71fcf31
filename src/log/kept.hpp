// A line from before the log's start: an event that owns its text.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "line.hpp"

namespace sallyport::log {

/// Owns copies of all text. Movable only: the fields point into it.
class KeptEvent {
public:
    explicit KeptEvent(const Event& event);
    KeptEvent(KeptEvent&&) noexcept = default;
    KeptEvent(const KeptEvent&) = delete;
    KeptEvent& operator=(const KeptEvent&) = delete;

    /// Borrows from this.
    [[nodiscard]] Event event() const;

private:
    std::string_view keep(std::string_view text);

    Time time_;
    Level level_;
    bool audit_;
    std::deque<std::string> texts_; // its elements stay where they are when it grows or moves
    std::string_view text_;
    bool as_is_;
    std::vector<Field> fields_;
};

} // namespace sallyport::log
