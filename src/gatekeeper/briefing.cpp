#include "briefing.hpp"

#include <array>

#include "audit_stream.hpp"

namespace sallyport::gatekeeper {

namespace {

std::vector<int> numbers(const std::vector<UniqueFd>& descriptors)
{
    std::vector<int> raw;
    for (const UniqueFd& descriptor : descriptors)
        raw.push_back(descriptor.get());
    return raw;
}

void greet(Child& child, const Settings& settings)
{
    ipc::Hello hello = settings.hello;
    hello.log.chain = child.chain();
    if (settings.audit_fd < 0) hello.log.audit = 0;
    // A socket of its own: who captures one child cannot turn or end the stream of the others.
    const UniqueFd own = audit_stream_for_child(static_cast<log::AuditPlace>(hello.log.audit));
    const std::array audit{own ? own.get() : settings.audit_fd};
    child.tell(hello, std::span{audit}.first(hello.log.audit == 0 ? 0 : 1));
}

} // namespace

void brief_keyholder(Child& keyholder, const Settings& settings, const Secrets& secrets)
{
    greet(keyholder, settings);
    for (const ipc::CertificateSource& source : settings.sources) {
        std::vector<int> travelling;
        for (const ipc::TextSource* text : {&source.certificate, &source.key, &source.passphrase})
            if (text->travels) travelling.push_back(secrets.texts.at(text->name).get());
        keyholder.tell(source, travelling);
    }
    const std::array tickets{secrets.tickets.get()};
    keyholder.tell(ipc::TicketSecret{}, tickets);
    keyholder.tell(ipc::Load{});
}

void brief_worker(Child& worker, const Settings& settings, const Pages& pages,
                  const std::vector<BoundListener>& listeners)
{
    greet(worker, settings);
    worker.tell(ipc::Figures{pages.generation}, pages.descriptors);
    if (settings.admin) worker.tell(*settings.admin, std::array{settings.admin_fd});
    if (settings.names) worker.tell(*settings.names);
    for (const ipc::Upstream& upstream : settings.upstreams)
        worker.tell(upstream);
    for (const BoundListener& bound : listeners) {
        ipc::Listener listener = settings.listeners.at(bound.listener);
        listener.shared = bound.shared;
        worker.tell(listener, numbers(bound.sockets));
        for (const ipc::Route& route : settings.routes.at(bound.listener))
            worker.tell(route);
    }
}

Result<void> introduce(Child& keyholder, Child& worker, unsigned shards)
{
    std::vector<UniqueFd> keyholder_ends;
    std::vector<UniqueFd> worker_ends;
    for (unsigned i = 0; i < 1 + shards; ++i) {
        auto ends = sys::Channel::pair();
        if (!ends) return std::unexpected{ends.error()};
        keyholder_ends.push_back(ends->first.release());
        worker_ends.push_back(ends->second.release());
    }
    keyholder.tell(ipc::WorkerChannels{}, numbers(keyholder_ends));
    worker.tell(ipc::KeyChannels{}, numbers(worker_ends));
    return {};
}

} // namespace sallyport::gatekeeper
