# `cpack` makes two Debian packages: espalier (the program) and libespalier-dev.
# Configure with -DCMAKE_INSTALL_PREFIX=/usr, so that the libraries lie where Debian wants them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME espalier)
set(CPACK_PACKAGE_VENDOR "The Espalier authors")
set(CPACK_PACKAGE_CONTACT "The Espalier authors <espalier@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL runtime dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)

set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "Supervisor of processes in trees
Starts a tree of processes in order, restarts them by policy when they fail,
says why for each decision, and stops them so that nothing is left behind.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME espalier)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS systemd)  # Its units; the program runs without it.
set(debian "${PROJECT_SOURCE_DIR}/packaging/debian")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
  "${debian}/conffiles" "${debian}/postinst" "${debian}/prerm" "${debian}/postrm")

set(CPACK_COMPONENT_DEV_DESCRIPTION "Supervision trees in C++20 (development files)
Headers, static libraries, and the files by which CMake and pkg-config find
them.")
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libespalier-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
string(JOIN ", " CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "libcaf-dev (>= 0.17.6)" "libcaf-dev (<< 0.18)" "libyaml-cpp-dev (>= 0.7)"
  "libspdlog-dev (>= 1:1.10)" "prometheus-cpp-dev (>= 1.0)" "libexpected-dev" "libboost1.81-dev | libboost-dev (>= 1.81)"
  "nlohmann-json3-dev (>= 3.11)" "libssl-dev (>= 3.0)" "libsqlite3-dev (>= 3.40)")

include(CPack)
