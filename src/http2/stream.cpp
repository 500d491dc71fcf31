#include "sallyport/http2/stream.hpp"

namespace sallyport::http2 {

void Stream::restart()
{
    user = nullptr;
    open_ = held_ = head_arrived_ = head_sent_ = deferred_ = finishing_ = local_ended_ = remote_ended_ = discards_ =
        is_news_ = false;
    broken_.reset();
    incoming_.consume(incoming_.size());
    outgoing_.consume(outgoing_.size());
    lent_ = {};
    trailers_.clear();
    own_trailers_.clear();
}

} // namespace sallyport::http2
