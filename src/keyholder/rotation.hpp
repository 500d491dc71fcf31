// Certificate files that change while they are served: noticed, read as one, checked, and offered.
//
// A change is looked at once when the kernel tells of it, and again while it settles, because certificate and key are
// two files that somebody writes one after the other; what is still wrong then is a refusal, told once. Besides, all
// files are looked at from time to time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "file_watch.hpp"
#include "key_ring.hpp"
#include "source_pair.hpp"

namespace sallyport::keyholder {

/// How long after their last change files may be wrong before that is a refusal …
inline constexpr std::chrono::milliseconds kSettling{1000};
/// … and how often they are read meanwhile.
inline constexpr std::chrono::milliseconds kSettlingLook{100};
/// However fast changes come, between two looks.
inline constexpr std::chrono::milliseconds kBetweenLooks{10};

using SteadyTime = std::chrono::steady_clock::time_point;

/// What a look has found, by the source's index.
struct Findings {
    std::vector<std::pair<std::size_t, std::shared_ptr<const KeyPair>>> fresh; ///< to be put in force
    std::vector<std::pair<std::size_t, std::string>> refused;                  ///< why; each state of files once
    std::vector<std::size_t> unchanged; ///< read, and the pair in force; not told of files that nobody touched
};

/// Sources of which nothing is a file never change. Borrows: the sources. Thread: one. Blocks for the reading of files.
class Rotation {
public:
    /// Before the process is confined: it asks for its watch.
    Rotation(std::span<const Source> sources, std::chrono::milliseconds check_every);

    /// To wait on; -1: none. Readable: `heed`.
    [[nodiscard]] int fd() const { return watch_.fd(); }
    void heed();

    /// When to `look` next.
    [[nodiscard]] SteadyTime due() const;

    /// Compares files with the pairs in force. `now` is in seconds since the epoch.
    [[nodiscard]] Findings look(const KeySet& in_force, std::int64_t now, SteadyTime at);

    /// See FileWatch.
    [[nodiscard]] std::optional<std::string> take_problem() { return watch_.take_problem(); }

private:
    /// A file as stat(2) tells it; all zeros: it cannot be asked.
    struct Stamp {
        dev_t device{};
        ino_t inode{};
        off_t size{};
        std::int64_t written_ns{};
        std::int64_t changed_ns{};
        bool operator==(const Stamp&) const = default;
    };
    struct Watched {
        const Source* source{};
        std::size_t index{};
        std::vector<std::string> paths;
        std::vector<Stamp> stamps{};
        SteadyTime changed_at{};
        bool settled{false};
        std::string complaint{};            ///< what was wrong at the last look
        std::string told{};                 ///< the last refusal
        std::optional<TextsDigest> wrong{}; ///< texts that were wrong at the last look
    };

    void look_at(Watched& watched, const KeySet& in_force, std::int64_t now, SteadyTime at, bool anew,
                 Findings& findings);
    std::shared_ptr<const KeyPair> read(Watched& watched, const KeyPair& in_force, std::int64_t now, bool anew);
    [[nodiscard]] static Stamp stamp_of(const std::string& path);
    [[nodiscard]] static std::vector<Stamp> stamps_of(const Watched& watched);
    void follow();

    FileWatch watch_;
    std::vector<Watched> watched_;
    std::chrono::milliseconds check_every_;
    SteadyTime next_check_{};
    SteadyTime last_look_{};
    bool told_{false}; ///< the kernel has told of a change
};

} // namespace sallyport::keyholder
