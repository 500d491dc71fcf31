// A head set anew, for the next message: its lists keep their memory.
#pragma once

#include <utility>

#include "sallyport/http/message.hpp"

namespace sallyport::http {

template <typename Head>
void clear_head(Head& head)
{
    Fields fields = std::move(head.fields);
    ConnectionOptions connection = std::move(head.connection);
    fields.clear();
    connection.clear();
    head = Head{};
    head.fields = std::move(fields);
    head.connection = std::move(connection);
}

} // namespace sallyport::http
