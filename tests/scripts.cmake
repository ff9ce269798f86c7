# Checks that are scripts: layers, manuals, tests that pages name, and what is installed.
set(scripts "${CMAKE_SOURCE_DIR}/scripts")

add_test(NAME scripts.layers COMMAND Python3::Interpreter "${scripts}/check_layers.py")
add_test(NAME scripts.layers_sees_a_wrong_include
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/scripts/check_layers_test.py")
add_test(NAME scripts.evidence COMMAND Python3::Interpreter "${scripts}/check_evidence.py")
add_test(NAME scripts.evidence_sees_a_missing_test
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/scripts/check_evidence_test.py")
add_test(NAME scripts.mutations_fit
  COMMAND Python3::Interpreter "${scripts}/mutate_engine.py" --check)
set_tests_properties(scripts.layers scripts.layers_sees_a_wrong_include scripts.mutations_fit
  scripts.evidence
  scripts.evidence_sees_a_missing_test PROPERTIES LABELS pure)

add_test(NAME scripts.manual
  COMMAND Python3::Interpreter "${scripts}/check_manual.py" "$<TARGET_FILE:espalier>")
set_tests_properties(scripts.manual PROPERTIES LABELS real)

# The embedding example is compiled with our warnings, besides what packaging.install does with it.
add_executable(embed_example "${CMAKE_SOURCE_DIR}/examples/embed/main.cpp")
target_link_libraries(embed_example PRIVATE espalier::supervisor project_options)
add_test(NAME examples.embed
  COMMAND sh -ec [[out=$("$0"); echo "$out"; echo "$out" | grep -q "/pump begins attempt 3"]]
    "$<TARGET_FILE:embed_example>")
set_tests_properties(examples.embed PROPERTIES LABELS real TIMEOUT 30)

set(packaging "${CMAKE_CURRENT_SOURCE_DIR}/packaging")
add_test(NAME packaging.headers
  COMMAND Python3::Interpreter "${scripts}/check_headers.py" "${CMAKE_CXX_COMPILER}")
add_test(NAME packaging.headers_sees_a_wrong_include
  COMMAND Python3::Interpreter "${packaging}/check_headers_test.py" "${CMAKE_CXX_COMPILER}")
add_test(NAME packaging.install
  COMMAND Python3::Interpreter "${packaging}/install_test.py" "${CMAKE_COMMAND}"
    "${CMAKE_BINARY_DIR}" "${CMAKE_SOURCE_DIR}" "${CMAKE_CXX_COMPILER}"
    "${CMAKE_CXX_COMPILER_LAUNCHER}" "${ESPALIER_SANITIZE}")
add_test(NAME packaging.debian
  COMMAND Python3::Interpreter "${packaging}/deb_test.py" "${CMAKE_CPACK_COMMAND}"
    "${CMAKE_BINARY_DIR}")
set_tests_properties(packaging.headers packaging.headers_sees_a_wrong_include packaging.install
  packaging.debian PROPERTIES LABELS real)
set_tests_properties(packaging.install PROPERTIES TIMEOUT 900 PROCESSORS 2)
set_tests_properties(packaging.headers packaging.debian PROPERTIES TIMEOUT 300 PROCESSORS 2)
