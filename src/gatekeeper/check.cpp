#include "check.hpp"

#include "errand.hpp"
#include "sallyport/base/text.hpp"

namespace sallyport::gatekeeper {

ipc::Loaded rehearse_certificates(const std::string& directory, const Settings& settings, const Secrets& secrets)
{
    Errand errand{directory};
    brief_keyholder(errand.keyholder(), settings, secrets);
    return errand.answer<ipc::Loaded>();
}

std::string describe(const ipc::Loaded& loaded)
{
    std::string text;
    for (const ipc::LoadedPair& pair : loaded.pairs)
        text += pair.label + ": " + pair.key_type + ", for " + joined(pair.names) + ", until " +
                utc_text(pair.not_after) + "\n";
    for (const std::string& file : loaded.open_files)
        text += "warning: " + file + "\n";
    return text;
}

} // namespace sallyport::gatekeeper
