#include "source_places.hpp"

#include <algorithm>
#include <filesystem>

namespace sallyport::keyholder {

namespace {

namespace fs = std::filesystem;

/// As the kernel has it (path_resolution(7)).
constexpr int kLinksMax = 40;

/// Walks a path as the kernel does, and notes where its links lead.
class Walk {
public:
    explicit Walk(const fs::path& path) : rest_{fs::absolute(path).relative_path()} {}

    std::vector<std::string> places()
    {
        while (!rest_.empty())
            take_step();
        note_parent_of(here_);
        return std::move(places_);
    }

private:
    void take_step()
    {
        const fs::path name = *rest_.begin();
        rest_ = rest_.lexically_relative(name);
        if (rest_ == ".") rest_.clear();
        const fs::path next = name == ".." ? here_.parent_path() : here_ / name;
        std::error_code error;
        const fs::path target = fs::read_symlink(next, error);
        if (error || ++links_ > kLinksMax) {
            here_ = next;
            return;
        }
        if (rest_.empty()) note_parent_of(next);
        follow(target);
    }

    void follow(const fs::path& target)
    {
        const fs::path whole = target.is_absolute() ? target : here_ / target;
        note_parent_of(whole.lexically_normal());
        rest_ = (rest_.empty() ? whole : whole / rest_).relative_path();
        here_ = "/";
    }

    void note_parent_of(const fs::path& path)
    {
        const fs::path clean = path.has_filename() ? path : path.parent_path();
        if (clean.parent_path() != "/")
            places_.push_back(clean.parent_path());
        else if (rest_.empty())
            places_.push_back(clean);
    }

    fs::path here_{"/"};
    fs::path rest_;
    int links_{0};
    std::vector<std::string> places_;
};

void sort_out(std::vector<std::string>& places)
{
    std::ranges::sort(places);
    const auto repeated = std::ranges::unique(places);
    places.erase(repeated.begin(), repeated.end());
}

} // namespace

std::vector<std::string> places_of(const std::string& path)
{
    std::vector<std::string> places = Walk{path}.places();
    sort_out(places);
    return places;
}

std::vector<std::string> places_of(std::span<const Source> sources)
{
    std::vector<std::string> places;
    for (const Source& source : sources) {
        const ipc::CertificateSource& files = source.description;
        for (const ipc::TextSource* text : {&files.certificate, &files.key, &files.passphrase}) {
            if (text->name.empty() || text->travels) continue;
            std::ranges::move(places_of(text->name), std::back_inserter(places));
        }
    }
    sort_out(places);
    return places;
}

} // namespace sallyport::keyholder
