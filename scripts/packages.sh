# Sourced by ./run and ./test: the Debian packages this project needs, and the build itself.
# Everything said here goes to stderr, so that `./run config FILE > out` stays clean.

packages_build=(
  cmake ninja-build g++ ccache pkg-config git python3
  libcaf-dev libboost1.81-dev libyaml-cpp-dev libspdlog-dev libexpected-dev libcli11-dev
  libgtest-dev libgmock-dev nlohmann-json3-dev libssl-dev libsqlite3-dev prometheus-cpp-dev
)
packages_test=(
  python3-jsonschema
  prometheus  # tests/packaging: the server, and promtool; its service need not run
  socat jq  # the tests run examples/clients with them
  systemd  # its tools read our units in a test; nothing of it is started
  tmux  # the terminal of the tests of `espalier top`
  spin gcc  # tests/model
  erlang-base  # tests/oracle
  dpkg-dev file  # cpack asks them what the program needs
)
packages_clang=(clang-14 libclang-rt-14-dev)

say() { echo "espalier: $*" >&2; }
fail() { say "$*"; exit 1; }

# install_missing WHY PACKAGE...: asks dpkg, and touches apt only when something is missing.
install_missing() {
  local why=$1 as_root=() missing=() package
  shift
  command -v dpkg-query >/dev/null || { say "no dpkg here, so packages are not checked: $*"; return; }
  local installed
  installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true)"
  for package in "$@"; do
    [[ $installed == *" installed:$package "* ]] || missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null ||
      fail "these packages are needed $why; as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing with apt-get, needed $why: ${missing[*]}"
  local log
  log=$(mktemp)
  { "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    { cat "$log" >&2; rm -f "$log"; fail "apt-get failed; its output is above"; }
  rm -f "$log"
}

# build PRESET TARGET...: configures once, then builds; says nothing when there is nothing to do.
# One build of a preset at a time; a second caller waits.
build() {
  local preset=$1 folder=build/$1
  shift
  mkdir -p build
  (
    flock 9
    if [[ ! -f $folder/build.ninja ]]; then
      say "configuring $folder"
      cmake --preset "$preset" >"build/$preset-configure.log" 2>&1 ||
        { cat "build/$preset-configure.log" >&2; fail "cmake failed; its output is above"; }
    fi
    [[ -x $folder/cli/espalier ]] || say "building $folder; the first time takes minutes"
    ninja -C "$folder" "$@" | sed -u '/Entering directory/d; /Re-checking/d; /no work to do/d' >&2
  ) 9>"build/.lock-$preset" || fail "the build of $folder failed; its output is above"
}
