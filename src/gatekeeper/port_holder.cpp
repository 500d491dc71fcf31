// /proc/net/tcp names a socket's inode (proc_net_tcp(5)), /proc/PID/fd/N links to "socket:[inode]".
#include "port_holder.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "sallyport/sys/file_text.hpp"

namespace sallyport::gatekeeper {

namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path)
{
    std::ifstream file{path};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

bool holds(const fs::path& process, const std::set<std::string>& links)
{
    std::error_code error;
    for (fs::directory_iterator entry{process / "fd", error}, end; !error && entry != end; entry.increment(error)) {
        std::error_code gone;
        if (links.contains(fs::read_symlink(entry->path(), gone).string())) return true;
    }
    return false;
}

std::string describe(const fs::path& process)
{
    std::string name = content(process / "comm");
    if (name.ends_with('\n')) name.pop_back();
    return name + " (pid " + process.filename().string() + ")";
}

std::string joined(const std::set<std::string>& names)
{
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

std::set<std::string> processes_with(const std::vector<ListeningSocket>& sockets)
{
    std::set<std::string> links;
    for (const ListeningSocket& socket : sockets)
        links.insert("socket:[" + std::to_string(socket.inode) + "]");
    std::set<std::string> found;
    std::error_code error;
    for (fs::directory_iterator entry{"/proc", error}, end; !error && entry != end; entry.increment(error))
        if (sys::parse_number<int>(entry->path().filename().string()) && holds(entry->path(), links))
            found.insert(describe(entry->path()));
    return found;
}

} // namespace

std::vector<ListeningSocket> listening_on(std::string_view table, std::uint16_t port)
{
    std::vector<ListeningSocket> found;
    std::istringstream rows{std::string{table}};
    for (std::string row; std::getline(rows, row);)
        if (const auto socket = parse_listening(row); socket && socket->address.port() == port)
            found.push_back(*socket);
    return found;
}

std::string holder_of(std::uint16_t port)
{
    const auto sockets = listening_on(content("/proc/net/tcp") + content("/proc/net/tcp6"), port);
    std::set<std::string> names = processes_with(sockets);
    if (names.empty())
        for (const ListeningSocket& socket : sockets)
            names.insert("a process of uid " + std::to_string(socket.uid));
    return joined(names);
}

} // namespace sallyport::gatekeeper
