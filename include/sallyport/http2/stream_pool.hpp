// Streams that are done with, and their memory: for the next ones of any of a shard's connections.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace sallyport::http2 {

/// Thread: one. Outlives the sessions that use it.
template <typename Kind>
class StreamPool {
public:
    [[nodiscard]] std::unique_ptr<Kind> take()
    {
        if (spare_.empty()) return std::make_unique<Kind>();
        std::unique_ptr<Kind> stream = std::move(spare_.back());
        spare_.pop_back();
        return stream;
    }
    void give(std::unique_ptr<Kind> stream)
    {
        if (spare_.size() < kSpareMax) spare_.push_back(std::move(stream));
    }

private:
    static constexpr std::size_t kSpareMax = 256;
    std::vector<std::unique_ptr<Kind>> spare_;
};

} // namespace sallyport::http2
