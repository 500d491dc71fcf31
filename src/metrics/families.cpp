#include "sallyport/metrics/families.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sallyport::metrics {

namespace {

double number(std::uint64_t value)
{
    return static_cast<double>(value);
}

class Families {
public:
    explicit Families(const Picture& picture) : picture_{picture} {}

    std::vector<Family> take();

private:
    void add_process();
    void add_posture();
    void add_house(const HouseFigures& house);
    void add_rotations(const HouseFigures& house);
    void add_connections();
    void add_ends();
    void add_handshakes();
    void add_exchanges();
    void add_certificates();
    void add_upstreams();

    Family& add(std::string_view name, std::string_view type, std::string_view help)
    {
        return families_.emplace_back(name, type, help);
    }
    void one(std::string_view name, std::string_view type, std::string_view help, double value)
    {
        add(name, type, help).samples.push_back({.value = value});
    }
    template <std::size_t N>
    void by_name(std::string_view name, std::string_view help, std::string_view label,
                 const std::array<std::string_view, N>& values, const std::array<Counter, N>& counters,
                 std::size_t first = 0);
    void histogram(std::string_view name, std::string_view help, const Histogram& histogram);

    const Picture& picture_;
    std::vector<Family> families_;
};

std::vector<Family> Families::take()
{
    add_process();
    add_posture();
    if (picture_.house != nullptr) {
        add_house(*picture_.house);
        add_rotations(*picture_.house);
    }
    add_connections();
    add_ends();
    add_handshakes();
    add_exchanges();
    add_certificates();
    add_upstreams();
    return std::move(families_);
}

template <std::size_t N>
void Families::by_name(std::string_view name, std::string_view help, std::string_view label,
                       const std::array<std::string_view, N>& values, const std::array<Counter, N>& counters,
                       std::size_t first)
{
    Family& family = add(name, "counter", help);
    for (std::size_t i = first; i < N; ++i)
        family.samples.push_back({.labels = {{label, std::string{values[i]}}}, .value = number(counters[i].read())});
}

/// Bounds as text: in seconds, exactly.
std::string bound_text(std::size_t bucket)
{
    const std::uint64_t ms = std::uint64_t{1} << bucket;
    std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
    fraction.resize(fraction.find_last_not_of('0') + 1);
    return std::to_string(ms / 1000) + (fraction.empty() ? "" : "." + fraction);
}

void Families::histogram(std::string_view name, std::string_view help, const Histogram& histogram)
{
    Family& family = add(name, "histogram", help);
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
        below += histogram.buckets[i].read();
        const std::string bound = i < Histogram::kBounds ? bound_text(i) : "+Inf";
        family.samples.push_back({.suffix = "_bucket", .labels = {{"le", bound}}, .value = number(below)});
    }
    family.samples.push_back({.suffix = "_sum", .value = number(histogram.milliseconds.read()) / 1000});
    family.samples.push_back({.suffix = "_count", .value = number(below)});
}

void Families::add_process()
{
    add("sallyport_build_info", "gauge", "The build; always 1")
        .samples.push_back({.labels = {{"version", picture_.version}, {"build", picture_.build}}, .value = 1});
    one("sallyport_start_time_seconds", "gauge", "When the newest worker was born, in seconds since the epoch",
        number(picture_.started));
    one("sallyport_ready", "gauge", "Whether new clients are welcome", picture_.ready ? 1 : 0);
    one("sallyport_keyholder_up", "gauge", "Whether the keyholder answers", picture_.keyholder_lives ? 1 : 0);
    one("sallyport_shards", "gauge", "How many threads serve", number(picture_.shards));
}

void Families::add_posture()
{
    const PostureFacts& posture = picture_.posture;
    add("sallyport_sandbox_info", "gauge", "How the worker is confined; always 1")
        .samples.push_back(
            {.labels = {{"level", posture.level}, {"seccomp", posture.seccomp}, {"landlock", posture.landlock}},
             .value = 1});
    Family& lacking = add("sallyport_sandbox_lacking", "gauge", "Guards that this kernel does not give; 1 for each");
    for (const std::string& guard : posture.lacking)
        lacking.samples.push_back({.labels = {{"guard", guard}}, .value = 1});
}

void Families::add_house(const HouseFigures& house)
{
    const auto born = [&](std::string_view process, const Counter& count) {
        return Sample{.labels = {{"process", std::string{process}}}, .value = number(count.read())};
    };
    add("sallyport_children_started_total", "counter", "Processes that the gatekeeper has started").samples = {
        born("keyholder", house.keyholders_born), born("worker", house.workers_born)};
    add("sallyport_children_died_total", "counter", "Those of them that nobody had told to end").samples = {
        born("keyholder", house.keyholders_died), born("worker", house.workers_died)};
    one("sallyport_generations", "gauge", "Workers that live", number(house.generations.read()));
    one("sallyport_draining", "gauge", "Whether it is ending", number(house.draining.read()));
    one("sallyport_apps_exposed", "gauge", "Sockets of apps that others reach past TLS", number(house.exposed.read()));
}

void Families::add_rotations(const HouseFigures& house)
{
    const Rotations& taken = picture_.sum.worker.rotations;
    const auto refused = house.rotations.refused.read() + taken.refused.read();
    const auto refused_at = std::max(house.rotations.refused_at.read(), taken.refused_at.read());
    add("sallyport_rotations_total", "counter", "Certificates that came anew: taken over, or refused").samples = {
        {.labels = {{"result", "taken"}}, .value = number(taken.taken.read())},
        {.labels = {{"result", "refused"}}, .value = number(refused)}};
    one("sallyport_certificates_wrong", "gauge", "Certificates whose files are refused now: the old pairs stay",
        number(picture_.certificates_wrong));
    one("sallyport_last_rotation_good", "gauge", "Whether none is refused now; 1 before the first came",
        picture_.certificates_wrong == 0 && !picture_.refuses_certificates ? 1 : 0);
    one("sallyport_last_rotation_time_seconds", "gauge", "When the latest ones came, in seconds since the epoch",
        number(std::max(taken.taken_at.read(), refused_at)) / 1000);
}

void Families::add_connections()
{
    const ShardFigures& shards = picture_.sum.shards;
    one("sallyport_connections_accepted_total", "counter", "Clients' connections", number(shards.accepted.read()));
    one("sallyport_connections_open", "gauge", "Clients' connections that live", number(picture_.sum.open()));
    by_name("sallyport_accept_failures_total", "Clients that could not be accepted", "reason", kAcceptFailures,
            shards.accept_failures);
    Family& bytes = add("sallyport_client_bytes_total", "counter", "Plain text of clients, heads and frames included");
    bytes.samples = {{.labels = {{"direction", "in"}}, .value = number(shards.traffic.from_clients.read())},
                     {.labels = {{"direction", "out"}}, .value = number(shards.traffic.to_clients.read())}};
}

/// What has never happened is left out, but for our own words: there are too many.
void Families::add_ends()
{
    const auto& ended = picture_.sum.shards.ended;
    Family& ends = add("sallyport_connections_ended_total", "counter",
                       "How clients' connections ended, and whose doing it was; a probe came without a byte");
    for (std::size_t i = 0; i < kEnds; ++i) {
        if (i >= kOwnEnds && ended[i].read() == 0) continue;
        ends.samples.push_back(
            {.labels = {{"by", std::string{i < kOwnEnds ? "none" : end_side(i)}}, {"end", std::string{end_what(i)}}},
             .value = number(ended[i].read())});
    }
}

void Families::add_handshakes()
{
    const ShardFigures& shards = picture_.sum.shards;
    Family& done = add("sallyport_handshakes_total", "counter", "TLS handshakes that succeeded, by what was agreed on");
    for (std::size_t i = 0; i < kHandshakes; ++i) {
        if (shards.handshakes[i].read() == 0) continue;
        const Agreement agreed = agreement_at(i);
        done.samples.push_back({.labels = {{"version", std::string{agreed.version}},
                                           {"cipher", std::string{agreed.cipher}},
                                           {"group", std::string{agreed.group}},
                                           {"resumed", agreed.resumed ? "yes" : "no"}},
                                .value = number(shards.handshakes[i].read())});
    }
    Family& failed = add("sallyport_handshake_failures_total", "counter", "TLS handshakes that failed, without probes");
    for (std::size_t i = 0; i < kHandshakeFailures.size(); ++i)
        if (const auto count = shards.handshake_failures[i].read(); count != 0)
            failed.samples.push_back(
                {.labels = {{"reason", std::string{kHandshakeFailures[i]}}}, .value = number(count)});
    histogram("sallyport_handshake_duration_seconds", "From accepting a client to the end of its handshake",
              shards.handshake_time);
}

void Families::add_exchanges()
{
    const ShardFigures& shards = picture_.sum.shards;
    by_name("sallyport_exchanges_total", "HTTP requests that have ended, by the class of the response's status",
            "status", kStatusClasses, shards.exchanges);
    by_name("sallyport_exchange_failures_total", "Those that did not end well, by the log's reason", "reason",
            kExchangeFailures, shards.exchange_failures, 1);
    histogram("sallyport_exchange_duration_seconds", "From a request's first byte to the end of its response",
              shards.exchange_time);
}

void Families::add_certificates()
{
    Family& expiry = add("sallyport_certificate_expiry_time_seconds", "gauge",
                         "Until when each certificate is good, in seconds since the epoch");
    for (const CertificateFacts& one : picture_.certificates)
        expiry.samples.push_back({.labels = {{"index", std::to_string(one.index)},
                                             {"name", one.names.empty() ? std::string{} : one.names.front()},
                                             {"key_type", one.key_type}},
                                  .value = static_cast<double>(one.not_after)});
}

void Families::add_upstreams()
{
    Family& up = add("sallyport_upstream_up", "gauge",
                     "Whether the latest attempt to connect to the app succeeded; absent before the first");
    for (const UpstreamFacts& upstream : picture_.upstreams)
        if (upstream.state != UpstreamFacts::State::unknown)
            up.samples.push_back({.labels = {{"upstream", upstream.name}},
                                  .value = upstream.state == UpstreamFacts::State::up ? 1.0 : 0.0});
}

/// A backslash, a quote and a line's end are escaped.
void append_value(std::string& out, std::string_view value)
{
    for (const char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
}

void append_labels(std::string& out, const std::vector<Label>& labels)
{
    if (labels.empty()) return;
    char before = '{';
    for (const Label& label : labels) {
        out += std::exchange(before, ',');
        out += label.name;
        out += "=\"";
        append_value(out, label.value);
        out += '"';
    }
    out += '}';
}

/// Whole numbers as such: figures are counts, or milliseconds as seconds.
std::string text_of(double value)
{
    const auto whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) == value) return std::to_string(whole);
    return std::to_string(value);
}

} // namespace

std::vector<Family> families_of(const Picture& picture)
{
    return Families{picture}.take();
}

std::string exposition(const std::vector<Family>& families)
{
    std::string out;
    for (const Family& family : families) {
        const std::string name{family.name};
        out += "# HELP " + name + " " + std::string{family.help} + "\n# TYPE " + name + " " + std::string{family.type} +
               "\n";
        for (const Sample& sample : family.samples) {
            out += name;
            out += sample.suffix;
            append_labels(out, sample.labels);
            out += " " + text_of(sample.value) + "\n";
        }
    }
    return out;
}

} // namespace sallyport::metrics
