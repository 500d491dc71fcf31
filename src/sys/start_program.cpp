#include "sallyport/sys/start_program.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "birth.hpp"
#include "sallyport/base/contract.hpp"

namespace sallyport::sys {

namespace {

bool is_file(const std::string& path)
{
    struct stat facts{};
    return ::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
}

/// The first file of this name that we may execute; else the first of this name, so that the exec says what is wrong
/// with it; else nothing, which is no file either. execvp(3) would take a directory that we may not search for a file
/// that we may not execute.
std::string program_path(const std::string& name)
{
    if (name.find('/') != std::string::npos) return name;
    const char* variable = std::getenv("PATH");
    std::string_view rest{variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin"};
    std::string found;
    for (;;) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        const std::string directory{end == 0 ? "." : rest.substr(0, end)};
        const std::string path = directory + "/" + name;
        if (is_file(path) && ::access(path.c_str(), X_OK) == 0) return path;
        if (found.empty() && is_file(path)) found = path;
        if (end == rest.size()) return found;
        rest.remove_prefix(end + 1);
    }
}

} // namespace

Result<pid_t> start_program(std::span<const std::string> words)
{
    SALLYPORT_ASSERT(!words.empty());
    std::vector<char*> arguments;
    for (const std::string& word : words)
        arguments.push_back(const_cast<char*>(word.c_str())); // execv(3) changes none of them
    arguments.push_back(nullptr);
    const std::string path = program_path(words.front());

    auto report = make_pipe();
    if (!report) return std::unexpected{report.error()};
    const int failure = report->write.get();
    const pid_t parent = ::getpid();
    return give_birth(std::move(*report), [&] {
        reset_signals();
        ::setsid();
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (::getppid() != parent) ::_exit(0); // it died before it could be said
        ::execv(path.c_str(), arguments.data());
        report_and_exit(failure);
    });
}

Result<void> adopt_orphans()
{
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return fail_errno("becoming the parent of orphans");
    return {};
}

} // namespace sallyport::sys
