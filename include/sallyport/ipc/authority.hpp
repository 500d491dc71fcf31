// How a keyholder is asked for a developer's own authority: all that it is then started for.
#pragma once

#include <string>

#include "sallyport/ipc/control.hpp"

namespace sallyport::ipc {

/// Make an authority for a developer's machine. Its files travel with the message, empty: the key's, the certificate's.
struct MakeAuthority {
    static constexpr Control kKind = Control::make_authority;
    std::string name; ///< the certificate's common name

    template <typename A>
    void fields(A& a)
    {
        a(name);
    }
};

/// Both files are written.
struct AuthorityMade {
    static constexpr Control kKind = Control::authority_made;

    template <typename A>
    void fields(A&)
    {
    }
};

} // namespace sallyport::ipc
