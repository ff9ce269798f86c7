# Checks that are scripts: layers, manuals, and the embedding example.
set(scripts "${CMAKE_SOURCE_DIR}/scripts")

add_test(NAME scripts.layers COMMAND Python3::Interpreter "${scripts}/check_layers.py")
add_test(NAME scripts.layers_sees_a_wrong_include
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/scripts/check_layers_test.py")
set_tests_properties(scripts.layers scripts.layers_sees_a_wrong_include PROPERTIES LABELS pure)

add_test(NAME scripts.manual
  COMMAND Python3::Interpreter "${scripts}/check_manual.py" "$<TARGET_FILE:espalier>")
set_tests_properties(scripts.manual PROPERTIES LABELS real)

add_executable(embed_example "${CMAKE_SOURCE_DIR}/examples/embed/main.cpp")
target_link_libraries(embed_example PRIVATE espalier::supervisor project_options)
add_test(NAME examples.embed
  COMMAND sh -ec [[out=$("$0"); echo "$out"; echo "$out" | grep -q "/pump begins attempt 3"]]
    "$<TARGET_FILE:embed_example>")
set_tests_properties(examples.embed PROPERTIES LABELS real TIMEOUT 30)
add_test(NAME examples.embed_stands_alone
  COMMAND "${CMAKE_COMMAND}" -G Ninja -S "${CMAKE_SOURCE_DIR}/examples/embed"
    -B "${CMAKE_BINARY_DIR}/embed_stands_alone")
set_tests_properties(examples.embed_stands_alone PROPERTIES LABELS real)
