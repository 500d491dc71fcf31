#include "authority_files.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errand.hpp"
#include "sallyport/base/build.hpp"
#include "sallyport/base/start_error.hpp"
#include "sallyport/ipc/authority.hpp"

namespace sallyport::gatekeeper {

namespace {

constexpr mode_t kForUs = 0700;
constexpr mode_t kOfOthers = 0077;

[[noreturn]] void refuse(ExitCode code, const std::string& path, const std::string& why)
{
    throw StartError{code, path + ": " + why};
}

[[noreturn]] void refuse_errno(const std::string& path)
{
    const int error = errno;
    refuse(error == EACCES || error == EPERM ? ExitCode::permission : ExitCode::os_error, path,
           std::system_category().message(error));
}

/// Whoever could write there could give us an authority whose key he has; who could read there, take ours.
void check_owner(const std::string& path, const struct stat& facts)
{
    if (facts.st_uid != ::geteuid())
        refuse(ExitCode::permission, path,
               "belongs to user " + std::to_string(facts.st_uid) + ", and this is user " + std::to_string(::geteuid()) +
                   ": the authority is of the user who runs `sallyport dev`");
}

void make_directory(const std::string& path)
{
    std::error_code ignored; // the last step tells
    std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), ignored);
    if (::mkdir(path.c_str(), kForUs) != 0 && errno != EEXIST) refuse_errno(path);
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0) refuse_errno(path);
    if (!S_ISDIR(facts.st_mode)) refuse(ExitCode::configuration, path, "is no directory");
    check_owner(path, facts);
    if ((facts.st_mode & kOfOthers) != 0) refuse(ExitCode::permission, path, "is open to others: chmod 0700 " + path);
}

bool exists(const std::string& path)
{
    struct stat facts{};
    return ::lstat(path.c_str(), &facts) == 0;
}

/// A new file of ours beside the one that it is to become.
class Draft {
public:
    explicit Draft(const std::string& path) : path_{path}, name_{path + ".XXXXXX"}
    {
        fd_ = UniqueFd{::mkostemp(name_.data(), O_CLOEXEC)}; // of mode 0600
        if (!fd_) refuse_errno(path);
    }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;
    ~Draft()
    {
        if (!name_.empty()) ::unlink(name_.c_str());
    }

    [[nodiscard]] int fd() const { return fd_.get(); }

    void keep()
    {
        if (::fsync(fd_.get()) != 0 || ::rename(name_.c_str(), path_.c_str()) != 0) refuse_errno(path_);
        name_.clear();
    }

private:
    std::string path_;
    std::string name_;
    UniqueFd fd_;
};

/// "Sallyport dev CA of ann on laptop": who meets it in a store knows whose it is.
std::string authority_name()
{
    std::array<char, 65> host{};
    ::gethostname(host.data(), host.size() - 1);
    const char* user = std::getenv("USER"); // getpwuid(3) would load libraries, which static executables cannot
    return "Sallyport dev CA of " + (user != nullptr ? std::string{user} : "uid " + std::to_string(::geteuid())) +
           " on " + host.data();
}

void make_authority(const AuthorityFiles& files, const std::string& executables)
{
    Draft key{files.key};
    Draft certificate{files.certificate};
    Errand errand{executables};
    ipc::Hello hello;
    hello.build_id = build_id();
    hello.shards = 1;
    errand.keyholder().tell(hello);
    const std::array descriptors{key.fd(), certificate.fd()};
    errand.keyholder().tell(ipc::MakeAuthority{authority_name()}, descriptors);
    static_cast<void>(errand.answer<ipc::AuthorityMade>());
    certificate.keep();
    key.keep(); // last: with it, all is there
}

UniqueFd open_own(const std::string& path, bool is_secret)
{
    UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)};
    struct stat facts{};
    if (!file || ::fstat(file.get(), &facts) != 0) refuse_errno(path);
    if (!S_ISREG(facts.st_mode)) refuse(ExitCode::configuration, path, "is no file");
    check_owner(path, facts);
    if (is_secret && (facts.st_mode & kOfOthers) != 0)
        refuse(ExitCode::permission, path, "is open to others: chmod 0600 " + path);
    return file;
}

} // namespace

AuthorityFiles authority_files(const char* data_home, const char* home)
{
    const auto is_absolute = [](const char* path) { return path != nullptr && path[0] == '/'; };
    if (!is_absolute(data_home) && !is_absolute(home))
        throw StartError{ExitCode::configuration,
                         "there is no place for the authority of `sallyport dev`: set HOME or XDG_DATA_HOME"};
    const std::string base = is_absolute(data_home) ? data_home : std::string{home} + "/.local/share";
    const std::string directory = base + "/sallyport";
    return {directory, directory + "/dev-ca.key", directory + "/dev-ca.pem"};
}

void ensure_authority(const AuthorityFiles& files, const std::string& executables)
{
    make_directory(files.directory);
    if (exists(files.key)) return;
    if (exists(files.certificate))
        refuse(ExitCode::configuration, files.certificate,
               "is there without its key: remove it, or put the key into " + files.key);
    make_authority(files, executables);
}

OpenAuthority open_authority(const AuthorityFiles& files)
{
    return {open_own(files.key, true), open_own(files.certificate, false)};
}

} // namespace sallyport::gatekeeper
