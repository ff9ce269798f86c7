# What `cmake --install` puts where. Two components: runtime (the program and what one reads) and
# dev (libraries, headers, and the files by which CMake and pkg-config find them).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(cmake_folder "${CMAKE_INSTALL_LIBDIR}/cmake/espalier")
set(pc_folder "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(TARGETS ${espalier_targets} ${espalier_pipeline_targets} ${espalier_ipc_targets}
  EXPORT espalierTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT espalierTargets NAMESPACE espalier:: DESTINATION "${cmake_folder}" COMPONENT dev)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/libsupervisor/espalier"
  "${PROJECT_SOURCE_DIR}/libpipeline/espalier" "${PROJECT_SOURCE_DIR}/ipc/espalier"
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

# pkg_config_file(NAME TARGET ...): NAME.pc, with those of the targets that are static libraries, in
# the order a linker wants them: users before the used.
file(RELATIVE_PATH pc_prefix "/prefix/${pc_folder}" "/prefix")
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
function(pkg_config_file name)
  set(pc_libraries "")
  foreach(target IN LISTS ARGN)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      get_target_property(file ${target} OUTPUT_NAME)
      if(NOT file)
        set(file ${target})
      endif()
      string(APPEND pc_libraries " -l${file}")
    endif()
  endforeach()
  configure_file("${PROJECT_SOURCE_DIR}/packaging/${name}.pc.in"
    "${PROJECT_BINARY_DIR}/packaging/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/packaging/${name}.pc"
    DESTINATION "${pc_folder}" COMPONENT dev)
endfunction()
pkg_config_file(espalier-supervisor supervisor_runtime supervisor_actor supervisor_config
  supervisor_scheduler supervisor_io supervisor_trace supervisor_observe supervisor_process supervisor_os supervisor_core)
pkg_config_file(espalier-pipeline pipeline_supervised pipeline_declare pipeline_durable pipeline_show
  pipeline_track pipeline_build pipeline_run pipeline_core)
pkg_config_file(espalier-ipc ipc_server ipc_client ipc_registration ipc_core ipc_wire)
pkg_config_file(espalier-metrics ipc_metrics pipeline_metrics espalier_metrics)

# compressed(FILE NAME): FILE as packaging/NAME of the build, the same bytes each time.
function(compressed file name)
  set(made "${PROJECT_BINARY_DIR}/packaging/${name}")
  add_custom_command(OUTPUT "${made}" COMMAND gzip -9nc "${file}" > "${made}"
    DEPENDS "${file}" VERBATIM)
  set(compressed_files ${compressed_files} "${made}" PARENT_SCOPE)
endfunction()

if(TARGET espalier)
  install(TARGETS espalier RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
  set(units "${PROJECT_SOURCE_DIR}/packaging/systemd")
  install(FILES "${units}/espalier@.service" "${units}/espalier@.socket"
    DESTINATION lib/systemd/system COMPONENT runtime)
  install(FILES "${units}/espalier.sysusers"
    DESTINATION lib/sysusers.d COMPONENT runtime RENAME espalier.conf)
  install(FILES "${units}/espalier.tmpfiles"
    DESTINATION lib/tmpfiles.d COMPONENT runtime RENAME espalier.conf)
  # What the units run lies in /etc; but a try below another prefix keeps its hands off it.
  install(CODE "set(example \"${units}/example.yaml\")" COMPONENT runtime)
  install(CODE [[
    if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
      file(INSTALL "${example}" DESTINATION /etc/espalier)
    else()
      file(INSTALL "${example}" DESTINATION "${CMAKE_INSTALL_PREFIX}/etc/espalier")
    endif()]] COMPONENT runtime)
  # Completions are the program's own words, so they cannot fall behind it.
  foreach(shell IN ITEMS bash zsh fish)
    add_custom_command(OUTPUT "${PROJECT_BINARY_DIR}/packaging/completion.${shell}"
      COMMAND espalier completion ${shell} > "${PROJECT_BINARY_DIR}/packaging/completion.${shell}"
      DEPENDS espalier VERBATIM)
    list(APPEND completions "${PROJECT_BINARY_DIR}/packaging/completion.${shell}")
  endforeach()
  add_custom_target(espalier_completions ALL DEPENDS ${completions})
  install(FILES "${PROJECT_BINARY_DIR}/packaging/completion.bash" COMPONENT runtime
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME espalier)
  install(FILES "${PROJECT_BINARY_DIR}/packaging/completion.zsh" COMPONENT runtime
    DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions" RENAME _espalier)
  install(FILES "${PROJECT_BINARY_DIR}/packaging/completion.fish" COMPONENT runtime
    DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" RENAME espalier.fish)
  foreach(page IN ITEMS espalier.1 espalier.yaml.5 espalier-ipc.7)
    string(REGEX MATCH "[0-9]$" section ${page})
    compressed("${PROJECT_SOURCE_DIR}/packaging/man/${page}" ${page}.gz)
    install(FILES "${PROJECT_BINARY_DIR}/packaging/${page}.gz"
      DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}" COMPONENT runtime)
  endforeach()
  configure_file("${PROJECT_SOURCE_DIR}/packaging/debian/changelog.in"
    "${PROJECT_BINARY_DIR}/packaging/changelog" @ONLY)
  compressed("${PROJECT_BINARY_DIR}/packaging/changelog" changelog.gz)
  foreach(package IN ITEMS espalier:runtime libespalier-dev:dev)
    string(REPLACE ":" ";" package ${package})
    list(POP_FRONT package name component)
    install(FILES "${PROJECT_BINARY_DIR}/packaging/changelog.gz"
      DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${name}" COMPONENT ${component})
    configure_file("${PROJECT_SOURCE_DIR}/packaging/debian/lintian-overrides.in"
      "${PROJECT_BINARY_DIR}/packaging/overrides/${name}" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/packaging/overrides/${name}"
      DESTINATION "${CMAKE_INSTALL_DATADIR}/lintian/overrides" COMPONENT ${component})
  endforeach()
  add_custom_target(espalier_compressed ALL DEPENDS ${compressed_files})
endif()
file(GLOB schemas CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/schema/*.json")
install(FILES ${schemas}
  DESTINATION "${CMAKE_INSTALL_DATADIR}/espalier" COMPONENT runtime)
# For a Prometheus server and for Grafana: alerts with their tests, and a dashboard.
install(FILES "${PROJECT_SOURCE_DIR}/packaging/prometheus/alerts.yml"
  "${PROJECT_SOURCE_DIR}/packaging/prometheus/alerts_test.yml"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/espalier/prometheus" COMPONENT runtime)
install(FILES "${PROJECT_SOURCE_DIR}/packaging/grafana/espalier.json"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/espalier/grafana" COMPONENT runtime)
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
