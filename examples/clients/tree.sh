#!/bin/sh
# A client of a running tree in 30 lines of shell. Needs socat and jq.
#
# tree.sh SOCKET                    a table of the tree: path, state, number of the attempt
# tree.sh SOCKET watch              the same, again every second
# tree.sh SOCKET restart PATH       restarts one child
set -eu
target=$1
verb=${2:-table}
table='.snapshot.nodes[] | [.path, .lifecycle, .generation] | @tsv'

# ask METHOD PARAMS FILTER: one request; what the filter makes of its result. The target closes the
# connection once all is answered, for socat closes our side of it.
ask() {
  jq -cn --arg method "$1" --argjson params "$2" \
    '{request_id: "1", method: $method, params: $params}' |
    socat -t 30 - "UNIX-CONNECT:$target" |
    jq -r "if .ok then .result | $3 else error(.error.message) end"
}

case $verb in
  table) ask state '{}' "$table" ;;
  watch)  # The first is in the answer, the next ones are pushed.
    echo '{"request_id": "1", "method": "state.subscribe"}' |
      socat -t 86400 - "UNIX-CONNECT:$target" | jq -r --unbuffered "(.result // .) | ($table), \"\"" ;;
  restart)
    params='{path: $path, requested_by: $who, reason: "asked for by hand"}'
    ask command.restart_child "$(jq -cn --arg path "$3" --arg who "$(id -un)" "$params")" \
      '.outcome.text // error(.error.message)' ;;
esac
