#include "verify_log.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "sallyport/base/result.hpp"
#include "sallyport/base/unique_fd.hpp"
#include "sallyport/log/verify.hpp"

namespace sallyport::gatekeeper {

namespace {

/// Twice a line of ours: what is longer is somebody else's, and only its beginning is looked at.
constexpr std::size_t kLineMax = 8192;

/// Takes a text piece by piece and gives whole lines on.
class Lines {
public:
    explicit Lines(log::Verifier& verifier) : verifier_{verifier} {}

    void take(std::string_view text)
    {
        for (std::size_t end{}; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
            append(text.substr(0, end));
            give();
        }
        append(text);
    }

    void finish()
    {
        if (!line_.empty()) verifier_.take_unfinished(line_);
        verifier_.finish();
    }

private:
    void append(std::string_view text) { line_ += text.substr(0, kLineMax - line_.size()); }
    void give()
    {
        if (line_.ends_with('\r')) line_.pop_back();
        verifier_.take(line_);
        line_.clear();
    }

    log::Verifier& verifier_;
    std::string line_;
};

[[noreturn]] void cannot_read(const std::string& path)
{
    throw StartError{ExitCode::unavailable, "cannot read " + path + ": " + last_errno().message()};
}

void read_all(const std::string& path, log::Verifier& verifier)
{
    const bool is_input = path == "-";
    const UniqueFd file{is_input ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!is_input && !file) cannot_read(path);
    std::array<char, 65536> part{};
    Lines lines{verifier};
    for (;;) {
        const ssize_t size = ::read(is_input ? STDIN_FILENO : file.get(), part.data(), part.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) cannot_read(path);
        if (size == 0) break;
        lines.take({part.data(), static_cast<std::size_t>(size)});
    }
    lines.finish();
}

std::string describe(const log::ChainReport& chain)
{
    return "  chain " + chain.id + "  " + (chain.process.empty() ? "?" : chain.process) + ", " +
           std::to_string(chain.lines) + (chain.lines == 1 ? " line, " : " lines, ") +
           (chain.begins == 1 ? "" : "from seq " + std::to_string(chain.begins) + ", ") +
           (chain.ended ? "ended" : "open") + "\n";
}

std::string verdict(const log::Verifier& verifier)
{
    if (!verifier.faults().empty()) return "NOT whole\n";
    if (!verifier.remarks().empty()) return "unchanged, as far as it goes: what is here is as it was written\n";
    return "whole: nothing is missing, nothing was changed\n";
}

std::string report(const log::Verifier& verifier)
{
    std::string text = std::to_string(verifier.lines()) + " lines, " + std::to_string(verifier.audit_lines()) +
                       " of the audit stream\n";
    for (const log::ChainReport& chain : verifier.chains())
        text += describe(chain);
    for (const log::Finding& remark : verifier.remarks())
        text += "remark on line " + std::to_string(remark.line) + ": " + remark.text + "\n";
    for (const log::Finding& fault : verifier.faults())
        text += "line " + std::to_string(fault.line) + ": " + fault.text + "\n";
    return text + verdict(verifier);
}

} // namespace

ExitCode verify_log(const std::string& path)
{
    log::Verifier verifier;
    read_all(path, verifier);
    const std::string text = report(verifier);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    return verifier.faults().empty() ? ExitCode::ok : ExitCode::failure;
}

} // namespace sallyport::gatekeeper
