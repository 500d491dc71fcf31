#include "audit_lines.hpp"

#include "sallyport/base/text.hpp"
#include "sallyport/log/log.hpp"

namespace sallyport::gatekeeper {

void write_loaded(const ipc::Loaded& loaded)
{
    for (const ipc::LoadedPair& pair : loaded.pairs)
        log::audit("certificate loaded", {{"certificate", pair.label},
                                          {"key_from", pair.key_from.empty() ? "memory" : pair.key_from},
                                          {"key", pair.key_type},
                                          {"spki_sha256", pair.spki_sha256},
                                          {"names", joined(pair.names)},
                                          {"not_after", utc_text(pair.not_after)}});
    for (const std::string& file : loaded.open_files)
        log::warn("secret open to others", {{"file", file}});
    if (!loaded.memory_locked)
        log::warn("key memory is not locked",
                  {{"meaning", "private keys may be written to swap"},
                   {"remedy", "raise RLIMIT_MEMLOCK: docker run --ulimit memlock=1048576, systemd LimitMEMLOCK=1M"}});
}

} // namespace sallyport::gatekeeper
