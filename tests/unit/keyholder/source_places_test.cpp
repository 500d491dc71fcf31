#include "keyholder/source_places.hpp"

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"

#include "pki.hpp"

using namespace sallyport;
using namespace sallyport::keyholder;
namespace fs = std::filesystem;

namespace {

using Places = std::vector<std::string>;

/// A directory of directories, without links in its own path.
class Tree {
public:
    Tree() : root_{fs::canonical(directory_.file("."))} {}

    [[nodiscard]] std::string at(const std::string& name) const { return (root_ / name).string(); }
    void file(const std::string& name) const
    {
        fs::create_directories((root_ / name).parent_path());
        std::ofstream{root_ / name} << "x";
    }
    void link(const std::string& name, const std::string& target) const
    {
        fs::create_directories((root_ / name).parent_path());
        fs::create_symlink(target, root_ / name);
    }

private:
    pki::Directory directory_;
    fs::path root_;
};

} // namespace

TEST_CASE("A plain file needs its own directory", "[keyholder][places]")
{
    const Tree tree;
    tree.file("tls/c.pem");
    CHECK(places_of(tree.at("tls/c.pem")) == Places{tree.at("tls")});
    CHECK(places_of(tree.at("tls/not-there-yet.pem")) == Places{tree.at("tls")});
}

TEST_CASE("Kubernetes' swap of ..data stays in the volume", "[keyholder][places]")
{
    const Tree tree;
    tree.file("vol/..2026_1/tls.crt");
    tree.link("vol/..data", "..2026_1");
    tree.link("vol/tls.crt", "..data/tls.crt");
    const Places places = places_of(tree.at("vol/tls.crt"));
    // Tomorrow's ..2026_2 lies below it, too.
    CHECK(std::ranges::find(places, tree.at("vol")) != places.end());
    CHECK(std::ranges::all_of(places, [&](const std::string& place) { return place.starts_with(tree.at("vol")); }));
}

TEST_CASE("Certbot's live directory leads into its archive", "[keyholder][places]")
{
    const Tree tree;
    tree.file("le/archive/example/cert1.pem");
    tree.link("le/live/example/cert.pem", "../../archive/example/cert1.pem");
    CHECK(places_of(tree.at("le/live/example/cert.pem")) ==
          Places{tree.at("le/archive/example"), tree.at("le/live/example")});
}

TEST_CASE("A directory that is a link may lead elsewhere beside its target tomorrow", "[keyholder][places]")
{
    const Tree tree;
    tree.file("releases/1/c.pem");
    tree.link("current", "releases/1");
    const Places places = places_of(tree.at("current/c.pem"));
    CHECK(std::ranges::find(places, tree.at("releases")) != places.end());
}

TEST_CASE("Links that run in a circle end", "[keyholder][places]")
{
    const Tree tree;
    tree.link("a", "b");
    tree.link("b", "a");
    CHECK_FALSE(places_of(tree.at("a")).empty());
}

TEST_CASE("The root directory is never granted", "[keyholder][places]")
{
    CHECK(places_of("/c.pem") == Places{"/c.pem"});
    const Tree tree;
    tree.link("run", "/run");
    for (const std::string& place : places_of(tree.at("run/secrets/tls.crt")))
        CHECK(place != "/");
}

TEST_CASE("Every file of every source counts, once", "[keyholder][places]")
{
    const Tree tree;
    std::vector<Source> sources(3);
    sources[0].description.certificate.name = tree.at("a/c");
    sources[0].description.key.name = tree.at("b/k");
    sources[0].description.passphrase.name = tree.at("a/p");
    sources[1].description.certificate.name = sources[1].description.key.name = tree.at("b/both");
    sources[2].description.self_signed_names = {"localhost"};
    CHECK(places_of(sources) == Places{tree.at("a"), tree.at("b")});
}
