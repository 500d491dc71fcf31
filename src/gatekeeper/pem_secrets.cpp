#include "pem_secrets.hpp"

#include <cstdlib>
#include <set>

#include <fcntl.h>

#include "sallyport/base/start_error.hpp"
#include "sallyport/sys/environment.hpp"
#include "sallyport/sys/file_text.hpp"
#include "sallyport/sys/process.hpp"
#include "sallyport/sys/secret_memory_file.hpp"

namespace sallyport::gatekeeper {

namespace {

const std::string kCertificate = "SALLYPORT_CERT";
const std::string kKey = "SALLYPORT_KEY";
const std::string kCertificatePlace = std::string{config::kFromVariable} + kCertificate;
const std::string kKeyPlace = std::string{config::kFromVariable} + kKey;

/// As large as the keyholder takes it from a file.
constexpr std::size_t kTextMax = 1024 * 1024;

UniqueFd duplicate(const UniqueFd& descriptor)
{
    UniqueFd copy{::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0)};
    if (!copy) throw StartError{ExitCode::os_error, "cannot duplicate a descriptor: " + last_errno().message()};
    return copy;
}

[[noreturn]] void refuse(const std::string& place, const std::string& reason)
{
    throw StartError{ExitCode::configuration, place + ": " + reason};
}

UniqueFd text_of_variable(const std::string& place)
{
    auto text = sys::take_variable(place.substr(config::kFromVariable.size()));
    if (!text) refuse(place, "the variable is not set, or empty");
    return std::move(*text);
}

UniqueFd text_of_descriptor(const std::string& place)
{
    const std::string_view number = std::string_view{place}.substr(config::kFromDescriptor.size());
    const std::string remedy =
        "; whoever starts sallyport has to pass it, as in `sallyport run " + std::string{number} + "<tls.key`";
    const int descriptor = sys::parse_number<int>(number).value_or(-1);
    if (!sys::is_inherited(descriptor)) refuse(place, "is not open" + remedy);
    const UniqueFd passed{descriptor};
    auto text = sys::sealed_text_of(passed.get(), kTextMax);
    if (text) return std::move(*text);
    if (text.error().fault == Fault::over_limit) refuse(place, "holds more than 1 MiB: no certificate and no key does");
    if (text.error().fault == Fault::truncated) refuse(place, "is empty");
    refuse(place, "cannot be read: " + text.error().cause.message() + remedy);
}

/// All that are no files, each once.
std::set<std::string> places_of(const config::Config& config)
{
    std::set<std::string> places;
    for (const config::Listener& listener : config.listeners)
        for (const config::Certificate& pair : listener.tls.certificates)
            for (const std::string& place : {pair.cert, key_place(pair), pair.passphrase})
                if (!config::is_path(place)) places.insert(place);
    return places;
}

bool is_variable(const std::string& place)
{
    return place.starts_with(config::kFromVariable);
}

} // namespace

Secrets take_pem_pair()
{
    Secrets secrets;
    auto certificate = sys::take_pem(kCertificate);
    auto key = sys::take_pem(kKey);
    if (key && !certificate && ::getenv(kCertificate.c_str()) == nullptr)
        throw StartError{ExitCode::configuration,
                         "SALLYPORT_KEY holds PEM, but SALLYPORT_CERT is not set: put the certificate there"};
    if (certificate && !key) key = duplicate(*certificate);
    if (certificate) secrets.texts.emplace(kCertificatePlace, std::move(*certificate));
    if (key) secrets.texts.emplace(kKeyPlace, std::move(*key));

    Result<UniqueFd> tickets = sys::empty_file("ticket-secret");
    if (!tickets) throw StartError{ExitCode::os_error, "cannot make a memory file: " + tickets.error().cause.message()};
    secrets.tickets = std::move(*tickets);
    return secrets;
}

bool has_pem_pair(const Secrets& secrets)
{
    return secrets.texts.contains(kCertificatePlace) || secrets.texts.contains(kKeyPlace);
}

void take_secrets(const config::Config& config, Secrets& secrets)
{
    for (const std::string& place : places_of(config))
        if (!secrets.texts.contains(place))
            secrets.texts.emplace(place, is_variable(place) ? text_of_variable(place) : text_of_descriptor(place));
}

void forget_variables(const config::Config& config)
{
    for (const std::string& place : places_of(config))
        if (is_variable(place)) static_cast<void>(sys::take_variable(place.substr(config::kFromVariable.size())));
}

std::string key_place(const config::Certificate& pair)
{
    if (!pair.key.empty()) return pair.key;
    return pair.cert == kCertificatePlace ? kKeyPlace : pair.cert;
}

} // namespace sallyport::gatekeeper
