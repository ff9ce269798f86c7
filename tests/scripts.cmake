# Checks that are scripts: layers, manuals, tests that pages name, and what is installed.
set(scripts "${CMAKE_SOURCE_DIR}/scripts")

add_test(NAME scripts.layers COMMAND Python3::Interpreter "${scripts}/check_layers.py")
add_test(NAME scripts.layers_sees_a_wrong_include
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/scripts/check_layers_test.py")
add_test(NAME scripts.evidence COMMAND Python3::Interpreter "${scripts}/check_evidence.py")
add_test(NAME scripts.evidence_sees_a_missing_test
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/scripts/check_evidence_test.py")
add_test(NAME scripts.ipc_page
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/scripts/ipc_page_test.py")
add_test(NAME scripts.mutations_fit COMMAND Python3::Interpreter "${scripts}/mutate.py" --check)
add_test(NAME scripts.mutate
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/scripts/mutate_test.py")
set_tests_properties(scripts.layers scripts.layers_sees_a_wrong_include scripts.mutations_fit
  scripts.mutate scripts.evidence scripts.ipc_page scripts.evidence_sees_a_missing_test
  PROPERTIES LABELS pure)

# Every line of the IPC that is written down here, and one of each that can be, fits its schema.
add_executable(ipc_samples "${CMAKE_CURRENT_SOURCE_DIR}/ipc/wire/samples.cpp")
target_include_directories(ipc_samples PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
target_link_libraries(ipc_samples PRIVATE ipc_wire project_options)
set(schemas "${CMAKE_SOURCE_DIR}/docs/schema")
set(validate "${scripts}/validate_lines.py")
file(GLOB transcripts CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/ipc/testdata/*.txt")
add_test(NAME scripts.transcripts_fit_the_schema
  COMMAND Python3::Interpreter "${validate}" "${schemas}/ipc.schema.json"
    --transcript ${transcripts})
add_test(NAME scripts.validate_lines_sees_a_wrong_line
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/scripts/validate_lines_test.py")
set(hold [["$0" "$1" | "$2" "$3" "$4" $5 $6]])
add_test(NAME scripts.every_message_fits_the_schema
  COMMAND sh -ec "${hold}" "$<TARGET_FILE:ipc_samples>" transcript
    "$<TARGET_FILE:Python3::Interpreter>" "${validate}" "${schemas}/ipc.schema.json"
    --transcript -)
add_test(NAME scripts.every_event_fits_the_schema
  COMMAND sh -ec "${hold}" "$<TARGET_FILE:ipc_samples>" events
    "$<TARGET_FILE:Python3::Interpreter>" "${validate}" "${schemas}/event.schema.json")
add_test(NAME scripts.audit_records_fit_the_schema
  COMMAND sh -ec "${hold}" "$<TARGET_FILE:ipc_samples>" audit
    "$<TARGET_FILE:Python3::Interpreter>" "${validate}"
    "${schemas}/ipc.schema.json#/$defs/audit_record")
set_tests_properties(scripts.transcripts_fit_the_schema scripts.validate_lines_sees_a_wrong_line
  scripts.every_message_fits_the_schema scripts.every_event_fits_the_schema
  scripts.audit_records_fit_the_schema PROPERTIES LABELS pure)

add_test(NAME scripts.model COMMAND Python3::Interpreter "${scripts}/check_model.py")
set_tests_properties(scripts.model PROPERTIES LABELS real TIMEOUT 120)

add_test(NAME scripts.manual
  COMMAND Python3::Interpreter "${scripts}/check_manual.py" "$<TARGET_FILE:espalier>")
set_tests_properties(scripts.manual PROPERTIES LABELS real)

add_test(NAME examples.clients
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/ipc/client/examples_test.py"
    "$<TARGET_FILE:espalier>")
set_tests_properties(examples.clients PROPERTIES LABELS real TIMEOUT 120)

# The embedding example is compiled with our warnings, besides what packaging.install does with it.
add_executable(embed_example "${CMAKE_SOURCE_DIR}/examples/embed/main.cpp")
target_link_libraries(embed_example PRIVATE espalier::supervisor project_options)
add_test(NAME examples.embed
  COMMAND sh -ec [[out=$("$0"); echo "$out"; echo "$out" | grep -q "/pump begins attempt 3"]]
    "$<TARGET_FILE:embed_example>")
set_tests_properties(examples.embed PROPERTIES LABELS real TIMEOUT 30)

add_executable(embed_metrics_example "${CMAKE_SOURCE_DIR}/examples/embed_metrics/main.cpp")
target_link_libraries(embed_metrics_example PRIVATE
  espalier::supervisor espalier::metrics project_options)
add_test(NAME examples.embed_metrics COMMAND embed_metrics_example)
set_tests_properties(examples.embed_metrics PROPERTIES LABELS real TIMEOUT 30)

# Each prints what stands beside it, where that is always the same.
file(GLOB pipeline_examples CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/examples/pipelines/*.cpp")
foreach(source IN LISTS pipeline_examples)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(example_${name} "${source}")
  target_link_libraries(example_${name} PRIVATE espalier::pipeline project_options)
  cmake_path(REPLACE_EXTENSION source expected OUTPUT_VARIABLE expected)
  cmake_path(REPLACE_EXTENSION source sample OUTPUT_VARIABLE sample)
  add_test(NAME examples.pipelines.${name}
    COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/support/example_test.py"
      "$<TARGET_FILE:example_${name}>" "${expected}" "${sample}")
  set_tests_properties(examples.pipelines.${name} PROPERTIES LABELS real TIMEOUT 60)
endforeach()

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
add_test(NAME packaging.prometheus
  COMMAND Python3::Interpreter "${packaging}/prometheus_test.py" "$<TARGET_FILE:espalier>"
    "${CMAKE_SOURCE_DIR}")
set_tests_properties(packaging.prometheus PROPERTIES LABELS real TIMEOUT 120)
set_tests_properties(packaging.headers packaging.headers_sees_a_wrong_include packaging.install
  packaging.debian PROPERTIES LABELS real)
set_tests_properties(packaging.install PROPERTIES TIMEOUT 900 PROCESSORS 2)
set_tests_properties(packaging.headers packaging.debian PROPERTIES TIMEOUT 300 PROCESSORS 2)

add_test(NAME cli.service_manager
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/cli/service_manager_test.py"
    "$<TARGET_FILE:espalier>" "${CMAKE_SOURCE_DIR}/packaging/systemd/espalier@.service")
add_test(NAME packaging.systemd_units
  COMMAND Python3::Interpreter "${packaging}/systemd_units_test.py"
    "${CMAKE_SOURCE_DIR}/packaging/systemd" "$<TARGET_FILE:espalier>")
set_tests_properties(cli.service_manager packaging.systemd_units
  PROPERTIES LABELS real TIMEOUT 120)
add_test(NAME scripts.soak_gates
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/scripts/soak_test.py")
set_tests_properties(scripts.soak_gates PROPERTIES LABELS pure)
if(NOT ESPALIER_SANITIZE)  # They keep memory that is free.
  add_test(NAME scripts.soak
    COMMAND Python3::Interpreter "${scripts}/soak.py" --for 8s --children 50
      --program "$<TARGET_FILE:espalier>")
  set_tests_properties(scripts.soak PROPERTIES LABELS real TIMEOUT 120)
endif()
set_tests_properties(packaging.systemd_units PROPERTIES SKIP_RETURN_CODE 77)
