# shellcheck shell=bash
# The tasks of ./run: each installs what it misses, builds, and does its job. They run in the top directory.

# Debian's own: the packages it needs are installed for this one, whatever else is first in PATH.
python=/usr/bin/python3

# compile <preset> [TESTS|BENCH [target…]]: the three executables, and what the word adds
compile() {
    local preset=$1 with=${2:-}
    cmake --preset "$preset" -DSALLYPORT_TESTS=OFF -DSALLYPORT_BENCH=OFF ${with:+-DSALLYPORT_$with=ON} \
        --log-level=NOTICE
    # Objects are the same in another checkout of the same files: let it find them.
    CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 nice cmake --build --preset "$preset" ${3:+--target "${@:3}"}
}

task_build() {
    need build
    compile "${1:-release}"
    echo "run: built $(echo build/"${1:-release}"/bin/sallyport*)"
}

task_demo() {
    need build demo
    compile release
    as_root "$python" tests/support/demo.py --bin build/release/bin "$@"
}

task_test() {
    local preset=release
    case ${1:-} in
        --traced)
            shift
            test_traced "$@"
            return
            ;;
        --containers)
            run_container_tests "${@:2}"
            return
            ;;
        --asan | --tsan | --dev) preset=${1#--} && shift ;;
    esac
    need build test
    compile "$preset" TESTS
    run_unit_tests "$preset" "$@"
    run_python_tests "$preset" "$@"
    run_fleet_tests "$preset" "$@"
}

# The integration tests, the processes under strace; then the table of profiles beside what they called.
test_traced() {
    local status=0
    need build test
    compile release TESTS
    rm -rf build/trace && mkdir -p build/trace
    SALLYPORT_TRACE=$PWD/build/trace run_python_tests release "$@" || status=$?
    as_root "$python" tests/support/traced_calls.py build/trace build/release/bin/print_profiles || status=$?
    return "$status"
}

run_unit_tests() {
    ctest --test-dir "build/$1" --output-on-failure --timeout 300 -j "$(nproc)" ${2:+-R "$2"}
}

# Two at a time: most of their life is waiting for a deadline. No test found is a failure only without a word to choose by.
run_python_tests() {
    local status=0
    as_root env SALLYPORT_TRACE="${SALLYPORT_TRACE:-}" SALLYPORT_PRESET="$1" SALLYPORT_BIN="$PWD/build/$1/bin" PYTHONDONTWRITEBYTECODE=1 \
        "$python" -m pytest -c tests/pytest.ini -n 2 --dist loadgroup tests/build tests/integration \
        ${2:+-k "$2"} || status=$?
    ((status == 5 && $# > 1)) || return "$status"
}

# Alone: 500 requests a second for minutes leave nothing of two cores to other tests, nor these to them.
run_fleet_tests() {
    [[ $1 == release ]] || return 0
    local status=0
    as_root env SALLYPORT_PRESET="$1" SALLYPORT_BIN="$PWD/build/$1/bin" PYTHONDONTWRITEBYTECODE=1 \
        "$python" -m pytest -c tests/pytest.ini tests/fleet ${2:+-k "$2"} || status=$?
    ((status == 5 && $# > 1)) || return "$status"
}

# Both variants, as files for docker load and podman load, and beside them what they were linked from.
task_image() {
    need image_build
    as_root env PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 "$python" -m support.images build/image
}

# The images are built before, so that no test's time limit counts it. What podman keeps is in /var/cache.
run_container_tests() {
    need image_build containers
    need_npm
    local environment=(env PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1)
    as_root "${environment[@]}" "$python" -m support.images build/image --tests
    as_root "${environment[@]}" "$python" -m pytest -c tests/pytest.ini -n 2 tests/containers ${1:+-k "$1"}
}

# As root, for a control group of its own: CPU time to the nanosecond.
task_bench() {
    if [[ ${1:-} == --images ]]; then
        compare_images "${@:2}"
        return
    fi
    need build bench
    compile release BENCH
    as_root env PYTHONDONTWRITEBYTECODE=1 "$python" bench/run.py "$@"
}

# Sallyport's image beside its peers', all of them built by podman.
compare_images() {
    task_image
    need containers
    as_root env PYTHONDONTWRITEBYTECODE=1 "$python" bench/images.py "$@"
}

task_lint() {
    need build lint
    . tests/support/lint.sh
    lint_all "$@"
}

task_fuzz() {
    need build fuzz
    compile fuzz TESTS fuzzers
    local target
    for target in build/fuzz/bin/fuzz_*; do
        run_fuzzer "$target" "${1:-60}"
    done
}

# run_fuzzer <executable> <seconds>: new findings go to build/, the committed corpus is only read.
run_fuzzer() {
    local name=${1##*/fuzz_}
    mkdir -p "build/fuzz/corpus/$name"
    echo "run: fuzzing $name for $2 s"
    "$1" -max_total_time="$2" -print_final_stats=1 -artifact_prefix="build/fuzz/crash-$name-" \
        "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
}

task_clean() { rm -rf build; }
