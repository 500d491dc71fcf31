// What a new configuration changes, key by key, for the log.
#pragma once

#include <string>
#include <vector>

#include "sallyport/config/config.hpp"

namespace sallyport::config {

/// One key whose value is another one, as it stands in the file. Of fields that are put into heads, which may be
/// secret, only that they have changed is told.
struct Change {
    std::string key;  ///< "upstreams.app.address", "listeners[0].tls.alpn"
    std::string from; ///< empty: it was not there
    std::string to;   ///< empty: it is not there any more

    bool operator==(const Change&) const = default;
};

/// In the order of the file. Listeners and routes are compared by their place. Empty if both are equal.
[[nodiscard]] std::vector<Change> changes(const Config& from, const Config& to);

} // namespace sallyport::config
