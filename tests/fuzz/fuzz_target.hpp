// What libFuzzer and the replayer call.
#pragma once

#include <cstddef>
#include <cstdint>

/// Gives the parser these bytes, any bytes; aborts if it breaks its contract. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
