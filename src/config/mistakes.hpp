// Every mistake of a configuration, gathered while reading goes on; and how a message quotes and suggests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node.hpp"
#include "sallyport/config/load.hpp"

namespace sallyport::config {

class Mistakes {
public:
    void report(const Place& at, std::string text);
    [[nodiscard]] bool any() const { return !found_.empty(); }

    /// In the order in which they stand in their sources.
    [[nodiscard]] std::vector<Diagnostic> take();

private:
    std::vector<Diagnostic> found_;
};

/// A PEM text, as it is or as base64.
[[nodiscard]] bool holds_pem(std::string_view text);

/// The text between quotes, fit for a terminal: short, without control characters, and never a PEM text.
[[nodiscard]] std::string quote(std::string_view text);

/// The known name that is nearest to `written`; empty if none is near enough to be meant.
[[nodiscard]] std::string_view nearest(std::string_view written, const std::vector<std::string_view>& known);

/// ": did you mean 'bind'?", or nothing.
[[nodiscard]] std::string suggestion(std::string_view written, const std::vector<std::string_view>& known);

/// "bind, mode, forward"
[[nodiscard]] std::string join(const std::vector<std::string_view>& names);

} // namespace sallyport::config
