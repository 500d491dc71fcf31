#include "trust.hpp"

#include <array>
#include <cerrno>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "sallyport/base/result.hpp"
#include "sallyport/sys/run_helper.hpp"

namespace sallyport::gatekeeper {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{60};
const std::string kSystemStore = "/usr/local/share/ca-certificates";
const std::string kUpdate = "/usr/sbin/update-ca-certificates";
const std::string kCertutil = "/usr/bin/certutil";
const std::string kNickname = "Sallyport dev CA";

/// One user's does not replace another's.
std::string file_in_system_store()
{
    return kSystemStore + "/sallyport-dev-ca-" + std::to_string(::geteuid()) + ".crt";
}

bool is_there(const std::string& path)
{
    return ::access(path.c_str(), F_OK) == 0;
}

class Trust {
public:
    explicit Trust(std::string home) : home_{std::move(home)} {}

    void install(const std::string& certificate)
    {
        install_in_system(certificate);
        if (home_.empty()) return miss("browsers keep their stores in a home, and HOME is not set");
        if (!has_certutil()) return;
        make_database(home_ + "/.pki/nssdb");
        for (const std::string& database : databases()) {
            if (has(database)) static_cast<void>(run(remove_from(database))); // an older one of this name
            note(run({kCertutil, "-d", "sql:" + database, "-A", "-t", "C,,", "-n", kNickname, "-i", certificate}),
                 "trusted in " + database, database);
        }
    }

    void remove()
    {
        remove_from_system();
        if (home_.empty() || !has_certutil()) return;
        for (const std::string& database : databases())
            if (has(database)) note(run(remove_from(database)), "removed from " + database, database);
    }

    [[nodiscard]] TrustReport report() { return std::move(report_); }

private:
    void install_in_system(const std::string& certificate)
    {
        const std::string target = file_in_system_store();
        if (::geteuid() != 0)
            return miss("the system's store needs root: sudo cp " + certificate + " " + target + " && sudo " + kUpdate);
        if (!is_there(kUpdate)) return miss("there is no " + kUpdate + ": install the package ca-certificates");
        std::error_code error;
        fs::copy_file(certificate, target, fs::copy_options::overwrite_existing, error);
        if (error) return miss(target + ": " + error.message());
        ::chmod(target.c_str(), 0644); // update-ca-certificates(8) leaves it to us, and everybody has to read it
        note(run({kUpdate}), "trusted by the system", kUpdate);
    }

    void remove_from_system()
    {
        const std::string target = file_in_system_store();
        if (!is_there(target)) return;
        if (::geteuid() != 0) return miss("the system's store needs root: sudo rm " + target + " && sudo " + kUpdate);
        if (::unlink(target.c_str()) != 0) return miss(target + ": " + last_errno().message());
        note(run({kUpdate, "--fresh"}), "removed from the system's store", kUpdate);
    }

    [[nodiscard]] bool has_certutil()
    {
        if (is_there(kCertutil)) return true;
        miss("browsers have stores of their own: install the package libnss3-tools for " + kCertutil);
        return false;
    }

    void make_database(const std::string& directory)
    {
        if (is_there(directory + "/cert9.db")) return;
        std::error_code error;
        fs::create_directories(directory, error);
        if (error) return miss(directory + ": " + error.message());
        ::chmod(directory.c_str(), 0700);
        if (run({kCertutil, "-d", "sql:" + directory, "-N", "--empty-password"}) != 0)
            miss(directory + ": no database could be made");
    }

    [[nodiscard]] std::vector<std::string> databases() const
    {
        std::vector<std::string> found;
        const auto add = [&](const std::string& directory) {
            if (is_there(directory + "/cert9.db")) found.push_back(directory);
        };
        add(home_ + "/.pki/nssdb");
        std::error_code error;
        for (const auto& profile : fs::directory_iterator{home_ + "/.mozilla/firefox", error})
            add(profile.path());
        return found;
    }

    [[nodiscard]] static bool has(const std::string& database)
    {
        const std::vector<std::string> words{kCertutil, "-d", "sql:" + database, "-L", "-n", kNickname};
        return sys::run_helper(words, kPatience, sys::Complaints::discarded).value_or(-1) == 0;
    }

    [[nodiscard]] static std::vector<std::string> remove_from(const std::string& database)
    {
        return {kCertutil, "-d", "sql:" + database, "-D", "-n", kNickname};
    }

    [[nodiscard]] static int run(const std::vector<std::string>& words)
    {
        return sys::run_helper(words, kPatience).value_or(-1);
    }

    void note(int code, const std::string& done, const std::string& what)
    {
        if (code == 0)
            report_.lines.push_back(done);
        else
            miss(what + " failed (exit code " + std::to_string(code) + ")");
    }

    void miss(const std::string& line)
    {
        report_.lines.push_back(line);
        report_.complete = false;
    }

    std::string home_;
    TrustReport report_;
};

} // namespace

TrustReport install_trust(const std::string& certificate, const std::string& home)
{
    Trust trust{home};
    trust.install(certificate);
    return trust.report();
}

TrustReport remove_trust(const std::string& home)
{
    Trust trust{home};
    trust.remove();
    return trust.report();
}

} // namespace sallyport::gatekeeper
