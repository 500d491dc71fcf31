// THE table: what each process holds and may do. Everything that confines, documents or tests a process reads it here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::privsep {

enum class Process : std::uint8_t { gatekeeper, keyholder, worker };

/// One row. The first half says what the process is for (the README's privilege table and the tests read it), the
/// second what `confine` applies and proves.
struct Profile {
    Process process;
    std::string_view name;       ///< on its log lines
    std::string_view executable; ///< the file beside the gatekeeper's own

    bool binds_ports;
    bool reads_files;
    bool holds_private_keys;
    bool reads_network;
    bool starts_processes;

    bool keeps_net_bind_service; ///< in the permitted set, never effective outside a bind
    bool raises_descriptor_limit;
    bool no_new_privs;
    bool dumpable; ///< relaxed in sanitizer builds (sys::kStaysDumpable)
    bool core_dumps;
};

// clang-format off
inline constexpr std::array kProfiles{
    //       process              name          executable             binds  files  keys   net    starts  NBS    nofile nnp   dump   core
    Profile{ Process::gatekeeper, "gatekeeper", "sallyport",           true,  true,  false, false, true,   true,  true,  true, false, false },
    Profile{ Process::keyholder,  "keyholder",  "sallyport-keyholder", false, true,  true,  false, false,  false, false, true, false, false },
    Profile{ Process::worker,     "worker",     "sallyport-worker",    false, false, false, true,  false,  false, true,  true, false, false },
};
// clang-format on

[[nodiscard]] constexpr const Profile& profile(Process process)
{
    return kProfiles[static_cast<std::size_t>(process)];
}

} // namespace sallyport::privsep
