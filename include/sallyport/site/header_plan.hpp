// What a route changes in heads, decided once: which of the peer's fields go, which of ours and of the rules come.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sallyport/http/head_writer.hpp"
#include "sallyport/ipc/control.hpp"

namespace sallyport::site {

/// Immutable once made, and not to be moved then: it is pointed into.
class HeaderPlan {
public:
    HeaderPlan() = default;

    /// `site`: the listener's own rules and policy; `route`: those of one of its routes, which override them name by
    /// name.
    void prepare(const ipc::SiteSettings& site, const ipc::HeaderRules& request, const ipc::HeaderRules& response,
                 bool tls);

    /// Of a response that comes from the app. Borrows: this.
    [[nodiscard]] http::Edits response() const { return {&response_removed_, response_added_}; }

private:
    friend class RequestEdits;

    /// The lines that tell of the client, as far as no rule speaks of them.
    struct Own {
        bool x_forwarded_for : 1 {false};
        bool x_forwarded_proto : 1 {false};
        bool x_forwarded_host : 1 {false};
        bool x_forwarded_port : 1 {false};
        bool forwarded : 1 {false};
        bool request_id : 1 {false};
    };

    void prepare_request(const ipc::SiteSettings& site, const ipc::HeaderRules& route);
    void prepare_response(const ipc::SiteSettings& site, const ipc::HeaderRules& route);

    Own own_{};
    bool tls_{false};
    http::NameSet removed_;         ///< from a client that nobody vouches for
    http::NameSet removed_trusted_; ///< from a trusted proxy: what it has set is kept
    std::vector<http::Line> added_;
    std::vector<ipc::HeaderLine> added_texts_; ///< what the lines point to
    http::NameSet response_removed_;
    std::vector<http::Line> response_added_;
    std::vector<ipc::HeaderLine> response_added_texts_;
};

} // namespace sallyport::site
