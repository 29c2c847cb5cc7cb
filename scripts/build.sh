#!/usr/bin/env bash
# Builds into $BUILD (gcc, optimised) or $SANITIZED (clang with AddressSanitizer, UBSan and the fuzz
# targets: one set of objects serves both). Installs what is missing first.
# The sanitized build leaves the simulator out unless `all` is said.
# `threads` builds the engine's unit tests with clang's ThreadSanitizer into $BUILD/threads.
# `separate` compiles every file by itself into $BUILD/separate: it shows a missing include.
# `tests` leaves out what the sanitized build has: the unit tests of src/, and those that need
# PostgreSQL; `all-tests` does not.
# usage: build.sh product [tests|all-tests] [bench] | build.sh sanitized [all] | build.sh separate |
#        build.sh threads
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
sanitized=${SANITIZED:-$build/sanitized}

configure_and_build() {
  local dir=$1
  shift
  mkdir -p "$dir"
  if ! cmake -S . -B "$dir" -G Ninja "$@" >"$dir/configure.log" 2>&1; then
    cat "$dir/configure.log" >&2
    exit 1
  fi
  # A terminal shows progress; a log does not need a line for every file.
  if [ -t 1 ]; then ninja -C "$dir" "${targets[@]}"; else ninja -C "$dir" --quiet "${targets[@]}"; fi
}
targets=()  # all

what=$1
shift
if [ "$what" = sanitized ]; then
  simulator=OFF
  [ "${1:-}" != all ] || simulator=ON
  scripts/install_packages.sh product sanitized
  configure_and_build "$sanitized" -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_BUILD_TYPE=Sanitized \
    -DCMAKE_CXX_FLAGS_SANITIZED="-O0 -gline-tables-only" -DWHERRY_FUZZ=ON -DWHERRY_TESTS=ON \
    -DWHERRY_FAST_BUILD=ON -DWHERRY_SIMULATOR=$simulator
  exit
fi

if [ "$what" = threads ]; then
  scripts/install_packages.sh product sanitized
  targets=(wherry_engine_test)
  configure_and_build "$build/threads" -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_BUILD_TYPE=Threads \
    -DCMAKE_CXX_FLAGS_THREADS="-O1 -gline-tables-only -fsanitize=thread" -DWHERRY_TESTS=ON \
    -DWHERRY_FAST_BUILD=ON -DWHERRY_SIMULATOR=OFF
  exit
fi

if [ "$what" = separate ]; then
  scripts/install_packages.sh product test
  configure_and_build "$build/separate" -DCMAKE_BUILD_TYPE=Debug
  exit
fi

groups=(product)
tests=OFF unit_tests=OFF bench=OFF
for option in "$@"; do
  case "$option" in
    tests) groups+=(test) tests=ON ;;
    all-tests) groups+=(test) tests=ON unit_tests=ON ;;
    bench) groups+=(bench) bench=ON ;;
  esac
done
scripts/install_packages.sh "${groups[@]}"
# A build without tests must not throw away those of an earlier one.
options=(-DWHERRY_FAST_BUILD=ON)
[ "$tests" = ON ] || [ ! -f "$build/CMakeCache.txt" ] &&
  options+=(-DWHERRY_TESTS=$tests -DWHERRY_SRC_UNIT_TESTS=$unit_tests)
[ "$bench" = ON ] || [ ! -f "$build/CMakeCache.txt" ] && options+=(-DWHERRY_BENCH=$bench)
configure_and_build "$build" "${options[@]}"
if [ "$tests$bench" != OFFOFF ]; then
  scripts/install_node_driver.sh
  scripts/install_peers.sh
fi
[ "$bench" = OFF ] || scripts/install_peers.sh debezium
