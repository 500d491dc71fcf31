#include <boost/json.hpp>

#include "sallyport/admin/answers.hpp"

namespace sallyport::admin {

namespace {

namespace json = boost::json;

json::array strings(const std::vector<std::string>& texts)
{
    json::array list;
    for (const std::string& text : texts)
        list.emplace_back(text);
    return list;
}

json::array listeners(const Status& status)
{
    json::array list;
    for (const ListenerFacts& one : status.listeners)
        list.push_back(json::object{{"bind", one.bind}, {"mode", one.mode}, {"tls", one.tls}});
    return list;
}

json::array certificates(const metrics::Picture& picture)
{
    json::array list;
    for (const metrics::CertificateFacts& one : picture.certificates)
        list.push_back(json::object{{"index", one.index},
                                    {"names", strings(one.names)},
                                    {"key_type", one.key_type},
                                    {"spki_sha256", one.spki_sha256},
                                    {"not_before", one.not_before},
                                    {"not_after", one.not_after}});
    return list;
}

std::string_view text_of(metrics::UpstreamFacts::State state)
{
    switch (state) {
    case metrics::UpstreamFacts::State::up:
        return "up";
    case metrics::UpstreamFacts::State::down:
        return "down";
    case metrics::UpstreamFacts::State::unknown:
        break;
    }
    return "unknown";
}

json::array upstreams(const metrics::Picture& picture)
{
    json::array list;
    for (const metrics::UpstreamFacts& one : picture.upstreams)
        list.push_back(
            json::object{{"name", one.name}, {"addresses", strings(one.addresses)}, {"state", text_of(one.state)}});
    return list;
}

json::object posture(const metrics::PostureFacts& facts)
{
    return {{"sandbox", facts.level},
            {"seccomp", facts.seccomp},
            {"landlock", facts.landlock},
            {"lacking", strings(facts.lacking)}};
}

/// Counts as whole numbers.
json::value number(double value)
{
    const auto whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) == value) return whole;
    return value;
}

/// "name{label=value,…}" → number, as Prometheus would have it.
json::object figures(const metrics::Picture& picture)
{
    json::object all;
    for (const metrics::Family& family : metrics::families_of(picture))
        for (const metrics::Sample& sample : family.samples) {
            std::string name = std::string{family.name} + std::string{sample.suffix};
            char before = '{';
            for (const metrics::Label& label : sample.labels) {
                name += before + std::string{label.name} + "=" + label.value;
                before = ',';
            }
            all[name + (sample.labels.empty() ? "" : "}")] = number(sample.value);
        }
    return all;
}

} // namespace

std::string status_json(const Status& status)
{
    const metrics::Picture& picture = status.picture;
    const json::object all{{"version", picture.version},
                           {"build", picture.build},
                           {"generation", status.generation},
                           {"started", picture.started},
                           {"ready", status.unready.empty()},
                           {"reasons", strings(status.unready)},
                           {"shards", picture.shards},
                           {"listeners", listeners(status)},
                           {"certificates", certificates(picture)},
                           {"upstreams", upstreams(picture)},
                           {"posture", posture(picture.posture)},
                           {"figures", figures(picture)}};
    return json::serialize(all) + "\n";
}

} // namespace sallyport::admin
