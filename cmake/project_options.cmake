# Flags every target of this project gets; nothing here leaks to users.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()
add_library(project_options INTERFACE)
target_compile_features(project_options INTERFACE cxx_std_20)
target_compile_options(project_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast
  $<$<BOOL:${ESPALIER_WERROR}>:-Werror>)
if(ESPALIER_SANITIZE)
  # CAF 0.17.6 headers bind null references (init_fun_factory.hpp:85): no -fsanitize=null.
  set(sanitize_flags -fsanitize=${ESPALIER_SANITIZE} -fno-omit-frame-pointer)
  if(ESPALIER_SANITIZE MATCHES undefined)
    list(APPEND sanitize_flags -fno-sanitize=null -fno-sanitize-recover=undefined)
  endif()
  if(ESPALIER_SANITIZE MATCHES thread)
    # It does not know fences; g++ says so wherever there is one, and Asio can do without.
    target_compile_definitions(project_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
      list(APPEND sanitize_flags -Wno-tsan)
    endif()
  endif()
  target_compile_options(project_options INTERFACE ${sanitize_flags})
  target_link_options(project_options INTERFACE ${sanitize_flags})
endif()

# One folder is one layer is one static library, and part of the installed package.
# project_layer(TARGET FOLDER INCLUDE_ROOT DEPS ... PRIVATE_DEPS ...)
function(project_layer target folder include_root)
  cmake_parse_arguments(arg "" "" "DEPS;PRIVATE_DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cpp" "${folder}/internal/*.cpp")
  set(includes "$<BUILD_INTERFACE:${include_root}>" "$<INSTALL_INTERFACE:include>")
  if(sources)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${includes})
    target_link_libraries(${target} PUBLIC ${arg_DEPS}
      PRIVATE ${arg_PRIVATE_DEPS} $<BUILD_INTERFACE:project_options>)
    target_compile_features(${target} PUBLIC cxx_std_20)
    if(NOT target MATCHES "^espalier_")
      set_target_properties(${target} PROPERTIES OUTPUT_NAME "espalier_${target}")
    endif()
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${includes})
    target_link_libraries(${target} INTERFACE ${arg_DEPS})
  endif()
endfunction()
