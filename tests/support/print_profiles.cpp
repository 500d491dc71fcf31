// Prints the table of profiles as JSON: what tests and documents are held against.
#include <cstdio>
#include <string>

#include "sallyport/privsep/profiles.hpp"

namespace {

using namespace sallyport::privsep;

std::string quoted(std::string_view text)
{
    return '"' + std::string{text} + '"';
}

std::string field(std::string_view name, const std::string& value)
{
    return quoted(name) + ": " + value;
}

std::string field(std::string_view name, bool value)
{
    return field(name, std::string{value ? "true" : "false"});
}

std::string text_of(const Call& call)
{
    return "{" + field("name", quoted(call.name)) + ", " + field("conditional", call.part != Part::all) + ", " +
           field("serving", call.until == Phase::serving) + ", " + field("unseen", quoted(call.unseen)) + "}";
}

std::string text_of(std::span<const Call> calls)
{
    std::string text;
    for (const Call& call : calls)
        text += (text.empty() ? "" : ",\n    ") + text_of(call);
    return "[" + text + "]";
}

std::string text_of(Reach reach)
{
    switch (reach) {
    case Reach::unlimited:
        return quoted("unlimited");
    case Reach::granted:
        return quoted("granted");
    case Reach::nothing:
        break;
    }
    return quoted("nothing");
}

std::string text_of(const Profile& row)
{
    return "{" + field("name", quoted(row.name)) + ", " + field("executable", quoted(row.executable)) + ",\n  " +
           field("binds_ports", row.binds_ports) + ", " + field("reads_files", row.reads_files) + ", " +
           field("holds_private_keys", row.holds_private_keys) + ", " + field("reads_network", row.reads_network) +
           ", " + field("starts_processes", row.starts_processes) + ",\n  " +
           field("keeps_net_bind_service", row.keeps_net_bind_service) + ", " + field("files", text_of(row.files)) +
           ", " + field("tcp_ports", text_of(row.tcp_ports)) + ", " +
           field("permits", row.filtering == Filtering::permits) + ",\n  " +
           field("descriptors", quoted(row.descriptors)) + ",\n  " + field("calls", text_of(row.calls)) + "}";
}

} // namespace

int main()
{
    std::string text;
    for (const Profile& row : kProfiles)
        text += (text.empty() ? "" : ",\n ") + text_of(row);
    std::printf("[%s]\n", text.c_str());
}
