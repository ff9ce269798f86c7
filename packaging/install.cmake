# What `cmake --install` puts where. Two components: runtime (the program and what one reads) and
# dev (libraries, headers, and the files by which CMake and pkg-config find them).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(cmake_folder "${CMAKE_INSTALL_LIBDIR}/cmake/espalier")
set(pc_folder "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(TARGETS ${espalier_targets} EXPORT espalierTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT espalierTargets NAMESPACE espalier:: DESTINATION "${cmake_folder}" COMPONENT dev)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/libsupervisor/espalier"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev
  FILES_MATCHING PATTERN "*.hpp" PATTERN internal EXCLUDE)

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/espalierConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/packaging/espalierConfig.cmake" INSTALL_DESTINATION "${cmake_folder}"
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/packaging/espalierConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/packaging/espalierConfig.cmake"
  "${PROJECT_BINARY_DIR}/packaging/espalierConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake"
  DESTINATION "${cmake_folder}" COMPONENT dev)

# Static libraries in the order a linker wants them: users before the used.
set(pc_libraries "")
foreach(layer IN ITEMS runtime actor config io observe process os core)
  get_target_property(type supervisor_${layer} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    string(APPEND pc_libraries " -lespalier_supervisor_${layer}")
  endif()
endforeach()
file(RELATIVE_PATH pc_prefix "/prefix/${pc_folder}" "/prefix")
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/espalier-supervisor.pc.in"
  "${PROJECT_BINARY_DIR}/packaging/espalier-supervisor.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/packaging/espalier-supervisor.pc"
  DESTINATION "${pc_folder}" COMPONENT dev)

if(TARGET espalier)
  install(TARGETS espalier RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
endif()
install(FILES "${PROJECT_SOURCE_DIR}/docs/schema/tree.schema.json"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/espalier" COMPONENT runtime)
install(FILES "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/manual" "${PROJECT_SOURCE_DIR}/docs"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime
  FILES_MATCHING PATTERN "*.md" PATTERN schema EXCLUDE)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples/config"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples" COMPONENT runtime)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples/"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples" COMPONENT dev
  FILES_MATCHING PATTERN "*.cpp" PATTERN "CMakeLists.txt" PATTERN "*.md" PATTERN config EXCLUDE)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/espalier" COMPONENT runtime RENAME copyright)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/libespalier-dev" COMPONENT dev RENAME copyright)
