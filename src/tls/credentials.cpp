#include "sallyport/tls/credentials.hpp"

#include <openssl/crypto.h>

namespace sallyport::tls {

Credentials::~Credentials()
{
    for (ipc::Certificate& certificate : certificates)
        OPENSSL_cleanse(certificate.private_key.data(), certificate.private_key.size());
    OPENSSL_cleanse(tickets.data(), tickets.size() * sizeof(ipc::TicketKey));
}

std::vector<std::uint32_t> Credentials::keys() const
{
    std::vector<std::uint32_t> keys;
    for (const ipc::Certificate& certificate : certificates)
        keys.push_back(certificate.key);
    return keys;
}

} // namespace sallyport::tls
