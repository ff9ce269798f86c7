"""Installs the build somewhere, moves it elsewhere, and uses it as a stranger would.

usage: install_test.py CMAKE BUILD_FOLDER SOURCE_FOLDER COMPILER LAUNCHER SANITIZERS
"""
import concurrent.futures
import pathlib
import shlex
import shutil
import subprocess
import sys

CMAKE, BUILD, SOURCE, COMPILER, LAUNCHER, SANITIZERS = sys.argv[1:]
WORK = pathlib.Path(BUILD, "packaging_test")
PREFIX = WORK / "moved"
FLAGS = "-Wall -Wextra -Wconversion -Werror" + (f" -fsanitize={SANITIZERS}" if SANITIZERS else "")

# A project that asks for what is not there, and minds its own module path.
QUESTIONS = """
cmake_minimum_required(VERSION 3.25)
project(questions LANGUAGES CXX)
find_package(espalier 0.1 QUIET COMPONENTS telepathy)
if(espalier_FOUND OR NOT espalier_NOT_FOUND_MESSAGE MATCHES "no component 'telepathy'; it has: sup")
  message(FATAL_ERROR "unknown component: ${espalier_NOT_FOUND_MESSAGE}")
endif()
find_package(espalier 0.2 QUIET)
if(espalier_FOUND)
  message(FATAL_ERROR "0.1 was taken for 0.2")
endif()
set(CMAKE_MODULE_PATH /mine)
find_package(espalier 0.1.0 REQUIRED COMPONENTS supervisor pipeline ipc testing metrics)
if(NOT CMAKE_MODULE_PATH STREQUAL "/mine" OR NOT TARGET espalier::testing OR NOT TARGET espalier::ipc
   OR NOT TARGET espalier::metrics)
  message(FATAL_ERROR "module path: ${CMAKE_MODULE_PATH}")
endif()
"""
SUBDIRECTORY = f"""
cmake_minimum_required(VERSION 3.25)
project(subdirectory LANGUAGES CXX)
add_subdirectory("{SOURCE}" espalier EXCLUDE_FROM_ALL)
add_executable(embed "{SOURCE}/examples/embed/main.cpp")
target_link_libraries(embed PRIVATE espalier::supervisor espalier::testing)
add_executable(first "{SOURCE}/examples/pipelines/first.cpp")
target_link_libraries(first PRIVATE espalier::pipeline)
add_executable(embed_socket "{SOURCE}/examples/embed_socket/main.cpp")
target_link_libraries(embed_socket PRIVATE espalier::supervisor espalier::ipc)
"""


class Fault(Exception):
    pass


def run(*command, cwd=None, timeout=300):
    try:
        done = subprocess.run([str(x) for x in command], cwd=cwd, capture_output=True, text=True,
                              timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Fault(f"{command[0]} did not end within {timeout} s") from None
    if done.returncode != 0:
        raise Fault(f"{shlex.join(map(str, command))}\nended with {done.returncode}:\n"
                    f"{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def install():
    shutil.rmtree(WORK, ignore_errors=True)
    run(CMAKE, "--install", BUILD, "--prefix", WORK / "first")
    (WORK / "first").rename(PREFIX)
    headers = list(PREFIX.glob("include/espalier/**/internal"))
    if headers or not (PREFIX / "include/espalier/supervisor.hpp").exists():
        raise Fault(f"wrong headers were installed: {headers}")
    run(PREFIX / "bin/espalier", "version")
    run(PREFIX / "bin/espalier", "check",
        PREFIX / "share/doc/espalier/examples/config/supervisor.yaml")


def configure(source, folder, *options):
    run(CMAKE, "-G", "Ninja", "-S", source, "-B", folder, f"-DCMAKE_PREFIX_PATH={PREFIX}",
        f"-DCMAKE_CXX_COMPILER={COMPILER}", f"-DCMAKE_CXX_COMPILER_LAUNCHER={LAUNCHER}",
        f"-DCMAKE_CXX_FLAGS={FLAGS}", *options)


def example(source):
    folder = WORK / source.name
    # One of the many small programs there; a test of its own runs them all.
    name = "first" if source.name == "pipelines" else source.name
    configure(source, folder, f"-DEXAMPLES={name}")
    run(CMAKE, "--build", folder)
    return run(folder / name, timeout=60)


def project(name, text):
    folder = WORK / name
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(text)
    configure(folder, folder / "build")
    return ""


def pkg_config(package, name):
    files = next(PREFIX.glob("lib*/**/espalier-supervisor.pc")).parent
    words = run("env", f"PKG_CONFIG_PATH={files}", "pkg-config", "--cflags", "--libs", package)
    target = WORK / f"{name}_by_pkg_config"
    run(*shlex.split(LAUNCHER), COMPILER, "-std=c++20", *FLAGS.split(), "-c", "-o", f"{target}.o",
        f"-I{PREFIX}/include", pathlib.Path(SOURCE, "examples", name, "main.cpp"))
    run(COMPILER, *FLAGS.split(), f"{target}.o", *words.split(), "-o", target)
    return run(target, timeout=60)


def main():
    try:
        install()
    except Fault as fault:
        return str(fault)
    examples = sorted(x.parent for x in PREFIX.glob("share/doc/espalier/examples/*/CMakeLists.txt"))
    faults = [] if len(examples) >= 8 else [f"only {len(examples)} examples were installed"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = {x.name: pool.submit(example, x) for x in examples}
        jobs["pkg-config"] = pool.submit(pkg_config, "espalier-supervisor", "embed")
        jobs["pkg-config ipc"] = pool.submit(pkg_config, "espalier-ipc", "embed_socket")
        jobs["pkg-config metrics"] = pool.submit(pkg_config, "espalier-metrics", "embed_metrics")
        jobs["questions"] = pool.submit(project, "questions", QUESTIONS)
        jobs["subdirectory"] = pool.submit(project, "subdirectory", SUBDIRECTORY)
    for name, job in jobs.items():
        try:
            print(f"--- {name}\n{job.result()[-1500:]}")
        except Fault as fault:
            faults.append(f"--- {name}: {fault}")
    if not faults:
        shutil.rmtree(WORK)  # The libraries of a debug build are large.
    return "\n".join(faults)


if __name__ == "__main__":
    sys.exit(main() or 0)
