// Reading the files that hold certificates, keys and passphrases into memory that is wiped.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "problem.hpp"
#include "secret_buffer.hpp"

namespace sallyport::keyholder {

/// No certificate chain, key or passphrase file is larger.
inline constexpr std::size_t kSourceFileMax = 1024 * 1024;

/// A regular file's content. The problem says who may read it, who we are, and what to do about it.
[[nodiscard]] Checked<SecretBuffer> read_source(const std::string& path);

/// What to say of a file of secrets that somebody else than its owner and our group may read; nothing if there is
/// nobody, or no such file.
[[nodiscard]] std::optional<std::string> open_to_others(const std::string& path);

/// A memory file's content, from offset 0 whatever its file offset is. `label` names it in the problem.
[[nodiscard]] Checked<SecretBuffer> read_source(int fd, const std::string& label);

} // namespace sallyport::keyholder
