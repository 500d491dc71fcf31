#include "sallyport/gatekeeper/start.hpp"

int main(int count, char** arguments)
{
    return sallyport::gatekeeper::start(count, arguments);
}
