// A vault with keys in it, as a keyholder has it once it serves.
#pragma once

#include <atomic>
#include <cstring>
#include <string>
#include <vector>

#include "keyholder/rules.hpp"
#include "keyholder/tickets.hpp"

#include "pki.hpp"

namespace test_vault {

using namespace sallyport;
using namespace sallyport::keyholder;

inline std::shared_ptr<const KeySet> set_of(const std::vector<std::string>& types)
{
    KeySet set;
    for (const std::string& type : types) {
        pki::Pair pair{type};
        auto made = make_pair({pki::der(pair.certificate)}, std::move(pair.key), pki::now());
        set.push_back(std::make_shared<const KeyPair>(*std::move(made)));
    }
    return std::make_shared<const KeySet>(std::move(set));
}

/// One EC P-256 pair at index 0, one Ed25519 at index 1.
struct Filled {
    explicit Filled(ipc::KeyPlace place = ipc::KeyPlace::keyholder)
    {
        vault.key_place = place;
        vault.clock = [this] { return time.load(); };
        vault.ticket_secret = SecretBuffer{kTicketSecretSize};
        std::memset(vault.ticket_secret.room().data(), 7, kTicketSecretSize);
        vault.ticket_secret.set_size(kTicketSecretSize);
        vault.keys.replace(set_of({"EC P-256", "Ed25519"}), time);
    }

    [[nodiscard]] const KeyPair& pair(std::size_t index) const { return *(*vault.keys.sets()->current)[index]; }

    std::atomic<std::int64_t> time{1'800'000'000};
    Vault vault;
};

} // namespace test_vault
