# One library a folder: every .cpp but the tests, which become one GoogleTest program a folder.
# Tests that need a PostgreSQL server (*_pg_test.cpp) become a second program that starts a cluster
# of its own once and is one ctest, labelled postgres; those that need an Oracle server
# (*_oracle_test.cpp) a third, labelled oracle, which starts simulators.
include(GoogleTest)

function(wherry_flags target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Werror)
  target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS)
  # GCC 12 at -O3 finds overlaps where there are none (its bug 105651).
  target_compile_options(
    ${target} PRIVATE $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-Wno-restrict>)
endfunction()

# Tests are compiled once and run once: optimising them costs more than it gives.
function(wherry_test_flags target)
  wherry_flags(${target})
  if(CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# Reading headers, and compiling the templates in them once more for every file, is more than half of
# a build. WHERRY_FAST_BUILD compiles the files of a library some at a time (so names in anonymous
# namespaces must differ within a folder) and tests with precompiled headers. A build without it
# (make test-long has one) shows an include that is missing.
if(WHERRY_FAST_BUILD AND WHERRY_TESTS)
  add_library(wherry_test_headers OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
  target_link_libraries(wherry_test_headers PRIVATE GTest::gmock)
  wherry_test_flags(wherry_test_headers)
  target_precompile_headers(
    wherry_test_headers PRIVATE <algorithm> <atomic> <chrono> <functional> <map> <memory> <mutex>
    <optional> <set> <span> <string> <string_view> <thread> <unordered_map> <variant> <vector>
    <nlohmann/json.hpp> <gmock/gmock.h> <gtest/gtest.h>)
endif()

function(wherry_precompile_test target)
  if(WHERRY_FAST_BUILD)
    target_precompile_headers(${target} REUSE_FROM wherry_test_headers)
  endif()
endfunction()

function(wherry_join_files target)
  if(WHERRY_FAST_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# One program for the tests that need a server, and one ctest for it: wherry_<folder>_<kind>.
function(wherry_server_test library kind label sources deps)
  set(test ${library}_${kind}_test)
  add_executable(${test} ${sources})
  target_link_libraries(${test} PRIVATE ${library} ${deps} GTest::gmock GTest::gtest_main)
  wherry_test_flags(${test})
  wherry_precompile_test(${test})
  add_test(NAME ${library}_${kind} COMMAND ${test})
  set_tests_properties(${library}_${kind} PROPERTIES TIMEOUT 900 LABELS ${label})
endfunction()

# wherry_library(NAME <target> DIR <folder> ROOT <include root> [DEPS ...] [TEST_DEPS ...]
#                [WITHOUT <files>...]): the files are in another library.
function(wherry_library)
  cmake_parse_arguments(L "" "NAME;DIR;ROOT" "DEPS;TEST_DEPS;WITHOUT" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${L_DIR}/*.cpp")
  if(L_WITHOUT)
    list(REMOVE_ITEM sources ${L_WITHOUT})
  endif()
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(pg_tests ${tests})
  list(FILTER pg_tests INCLUDE REGEX "_pg_test\\.cpp$")
  set(oracle_tests ${tests})
  list(FILTER oracle_tests INCLUDE REGEX "_oracle_test\\.cpp$")
  list(FILTER tests EXCLUDE REGEX "_(pg|oracle)_test\\.cpp$")
  if(sources)
    add_library(${L_NAME} STATIC ${sources})
    target_include_directories(${L_NAME} PUBLIC $<BUILD_INTERFACE:${L_ROOT}>
                                                $<INSTALL_INTERFACE:include/wherry>)
    target_link_libraries(${L_NAME} PUBLIC ${L_DEPS})
    wherry_flags(${L_NAME})
    wherry_join_files(${L_NAME})
  else()
    add_library(${L_NAME} INTERFACE)
    target_include_directories(${L_NAME} INTERFACE ${L_ROOT})
    target_link_libraries(${L_NAME} INTERFACE ${L_DEPS})
  endif()
  # `make test` runs the tests of src/ once, in the sanitized build; those that need orasim are not
  # in it.
  if(L_ROOT STREQUAL "${SRC}" AND NOT WHERRY_SRC_UNIT_TESTS)
    set(tests "")
    set(pg_tests "")
  endif()
  if(tests AND WHERRY_TESTS)
    add_executable(${L_NAME}_test ${tests})
    target_link_libraries(${L_NAME}_test PRIVATE ${L_NAME} ${L_TEST_DEPS} GTest::gmock
                          GTest::gtest_main)
    wherry_test_flags(${L_NAME}_test)
    wherry_precompile_test(${L_NAME}_test)
    gtest_discover_tests(${L_NAME}_test DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
  endif()
  if(pg_tests AND WHERRY_TESTS)
    wherry_server_test(${L_NAME} pg postgres "${pg_tests}" "${L_TEST_DEPS}")
  endif()
  # A fuzzing build has no programs.
  if(oracle_tests AND WHERRY_TESTS AND WHERRY_SIMULATOR AND NOT WHERRY_FUZZ)
    wherry_server_test(${L_NAME} oracle oracle "${oracle_tests}" "${L_TEST_DEPS}")
    add_dependencies(${L_NAME}_oracle_test orasim)
  endif()
endfunction()
