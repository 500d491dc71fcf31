// The files of a developer's own authority: where they are, and that nobody else reads them. Their bytes pass through
// the keyholder alone.
#pragma once

#include <string>

#include "sallyport/base/unique_fd.hpp"

namespace sallyport::gatekeeper {

struct AuthorityFiles {
    std::string directory;
    std::string key;
    std::string certificate;
};

/// In sallyport/ below the user's data directory: $XDG_DATA_HOME, or ~/.local/share.
/// Errors: StartError (configuration): neither it nor $HOME is an absolute path.
[[nodiscard]] AuthorityFiles authority_files(const char* data_home, const char* home);

/// Makes the directory (0700) and, by a keyholder from `executables`, the pair (the key 0600), unless they are there.
/// Errors: StartError, of what somebody else could read or has put there as well.
void ensure_authority(const AuthorityFiles& files, const std::string& executables);

/// To be passed on; not read here.
struct OpenAuthority {
    UniqueFd key;
    UniqueFd certificate;
};
/// Errors: StartError.
[[nodiscard]] OpenAuthority open_authority(const AuthorityFiles& files);

} // namespace sallyport::gatekeeper
