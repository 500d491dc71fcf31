// The worker: accepts, speaks TLS, forwards.
#include <utility>

#include "sallyport/worker/worker.hpp"

int main()
{
    return std::to_underlying(sallyport::worker::run());
}
