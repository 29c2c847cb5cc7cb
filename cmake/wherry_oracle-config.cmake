# find_package(wherry_oracle) gives the target wherry::wherry_oracle.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(OpenSSL)
find_dependency(ZLIB)
find_dependency(fmt)
find_dependency(spdlog)
find_dependency(nlohmann_json)
include(${CMAKE_CURRENT_LIST_DIR}/wherry_oracle-targets.cmake)
