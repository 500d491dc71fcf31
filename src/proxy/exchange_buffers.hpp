// What an exchange needs for as long as it lasts: taken from the shard, and given back warm for the next one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http1_app.hpp"
#include "sallyport/http/request_head.hpp"

namespace sallyport::proxy {

struct ExchangeBuffers {
    std::string head; ///< of an HTTP/1.1 request, which `request` points into
    http::RequestHead request;
    std::string unread;     ///< what has come behind the head
    std::string request_id; ///< for the log, long after it was made
    Http1AppBuffers app;
};

/// Those that nobody uses. An idle connection has none; a shard keeps some for the next moment, but not all that its
/// busiest one needed, and none that has grown beyond a usual request.
class SpareBuffers {
public:
    [[nodiscard]] std::unique_ptr<ExchangeBuffers> take()
    {
        if (spare_.empty()) return std::make_unique<ExchangeBuffers>();
        auto buffers = std::move(spare_.back());
        spare_.pop_back();
        return buffers;
    }
    void give_back(std::unique_ptr<ExchangeBuffers> buffers)
    {
        const std::size_t size = buffers->head.capacity() + buffers->unread.capacity() + buffers->app.kept.capacity();
        if (spare_.size() < kSpareMax && size <= kKeptMax) spare_.push_back(std::move(buffers));
    }
    [[nodiscard]] std::size_t count() const { return spare_.size(); }

    static constexpr std::size_t kSpareMax = 256;

private:
    static constexpr std::size_t kKeptMax = 64 * 1024;
    std::vector<std::unique_ptr<ExchangeBuffers>> spare_;
};

/// A loan of buffers for a scope.
class BorrowedBuffers {
public:
    explicit BorrowedBuffers(SpareBuffers& spare) : spare_{spare}, buffers_{spare.take()} {}
    BorrowedBuffers(const BorrowedBuffers&) = delete;
    BorrowedBuffers& operator=(const BorrowedBuffers&) = delete;
    ~BorrowedBuffers() { spare_.give_back(std::move(buffers_)); }

    [[nodiscard]] ExchangeBuffers* operator->() const { return buffers_.get(); }
    [[nodiscard]] ExchangeBuffers& operator*() const { return *buffers_; }

private:
    SpareBuffers& spare_;
    std::unique_ptr<ExchangeBuffers> buffers_;
};

} // namespace sallyport::proxy
