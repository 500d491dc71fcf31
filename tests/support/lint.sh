# shellcheck shell=bash
# What ./run lint checks. Every check runs, whatever the others say; one failure fails the whole.

# lint_all [--fix]: with --fix the format is mended instead of judged.
lint_all() {
    local failed=() check format_options=(--dry-run -Werror)
    if [[ ${1:-} == --fix ]]; then format_options=(-i); fi
    for check in format sizes coroutines shell headers tidy; do
        echo "lint: $check"
        "lint_$check" || failed+=("$check")
    done
    ((${#failed[@]} == 0)) || {
        echo "lint: failed: ${failed[*]}" >&2
        return 1
    }
    echo "lint: clean"
}

sources() { find src include tests bench \( -name '*.cpp' -o -name '*.hpp' \) -print0; }

lint_format() { sources | xargs -0 clang-format-19 "${format_options[@]}"; }

lint_sizes() { /usr/bin/python3 tests/build/size_rules.py src include tests bench run .ci/run; }

# include/sallyport/net/task.hpp says why: g++ 12 miscompiles an awaited result without a name.
lint_coroutines() {
    if grep -rnE '(!|&& |\|\| |\()co_await' src include | grep -v 'static_cast<void>(co_await'; then
        echo "lint: give each awaited result above a name first" >&2
        return 1
    fi
}

lint_shell() { shellcheck -x run .ci/run tests/support/*.sh; }

# Each public header compiles alone. Third-party headers are not to be found there, so none is named either.
lint_headers() {
    find include -name '*.hpp' -print0 |
        xargs -0 -I{} -P "$(nproc)" g++ -std=c++23 -fsyntax-only -Wall -Wextra -Werror -Iinclude -include {} -x c++ /dev/null
}

# The slowest check: a few minutes for all sources. The compile commands are those of a build with clang.
lint_tidy() {
    cmake -S . -B build/lint -G Ninja --log-level=NOTICE -DSALLYPORT_TESTS=OFF -DCMAKE_BUILD_TYPE=Debug \
        -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 || return
    find src -name '*.cpp' -print0 |
        xargs -0 -n 1 -P "$(nproc)" nice clang-tidy-19 --quiet -p build/lint --warnings-as-errors='*' \
            --extra-arg=-Wno-deprecated-declarations 2>build/lint/tidy.err
}
