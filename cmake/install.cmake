# cmake --install: the Oracle client as a package of its own, for find_package(wherry_oracle)
# (docs/guide/oracle-client.md).
include(CMakePackageConfigHelpers)
set(package lib/cmake/wherry_oracle)

install(TARGETS wherry_core wherry_net wherry_oracle EXPORT wherry_oracle
        ARCHIVE DESTINATION lib)
foreach(folder core net connect/oracle)
  install(DIRECTORY ${SRC}/${folder}/ DESTINATION include/wherry/${folder}
          FILES_MATCHING PATTERN "*.h" PATTERN trace EXCLUDE PATTERN changes EXCLUDE
                                        PATTERN preflight EXCLUDE PATTERN "*_server.h" EXCLUDE)
endforeach()
install(EXPORT wherry_oracle NAMESPACE wherry:: FILE wherry_oracle-targets.cmake
        DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/wherry_oracle-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/wherry_oracle-config-version.cmake
              ${CMAKE_CURRENT_LIST_DIR}/wherry_oracle-config.cmake
        DESTINATION ${package})
