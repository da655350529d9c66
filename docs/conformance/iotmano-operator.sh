#!/bin/sh
# What an operator of iotmano does for `iotmano conformance orchestrator --operator-command`: an action, and its arguments. Change the
# commands to those of your own orchestrator. An action that it does not know ends with 64: the cases that need it are then not applicable.
#
# NATS, not empty: tokens are for NATS. IOTMANO_URL and IOTMANO_DATA (or IOTMANO_TOKEN) as always. FUNCTION: invariantId of an onboarded function that needs nothing else, for
# `assign`; SECRET_FUNCTION: of one with a secret configuration value `password`, for `assign-secret`; LARGE_FUNCTION: of one with a configuration value `padding`, a text, for
# `assign-large`. AGENT_RELEASE, AGENT_RELEASE_VERSION: a program of the agent and what it calls itself, which no host needs to run, for `upgrade-begin`. RESTART, RESET: commands that kill the orchestrator and start it again, over the same store and over a new one.
set -eu

action=$1
host=${2:-}
iotmano=${IOTMANO:-iotmano}

# The hosts of the kit have their own name as the label `site`. Arguments: function, configuration.
deploy() {
  folder=$(mktemp -d)
  trap 'rm -r "$folder"' EXIT
  cat > "$folder/$host.yaml" <<DESCRIPTOR
apiVersion: iotmano/v1
kind: IoTServiceDescriptor
metadata: { invariantId: 'urn:conformance:$host', version: 1.0.0, provider: conformance, name: '$host' }
functions:
  - { name: kit, function: '$1', version: '>=0.0.0', coverage: { each: 'site = $host' }, config: { $2 } }
DESCRIPTOR
  $iotmano package onboard "$folder/$host.yaml" > /dev/null
  $iotmano service deploy "$host" > /dev/null
}

case $action in
  token)
    valid=$3
    if [ "$host" = - ]; then set -- --valid "$valid"; else set -- --host-id "$host" --valid "$valid"; fi
    # Over NATS a token comes with a JWT.
    if [ -n "${NATS:-}" ]; then set -- --nats "$@"; fi
    $iotmano token enrol "$@"
    ;;
  assign)
    [ -n "${FUNCTION:-}" ] || exit 64
    deploy "$FUNCTION" ''
    ;;
  assign-secret)
    [ -n "${SECRET_FUNCTION:-}" ] || exit 64
    deploy "$SECRET_FUNCTION" "password: '$3'"
    ;;
  assign-large)
    [ -n "${LARGE_FUNCTION:-}" ] || exit 64
    folder=$(mktemp -d)
    trap 'rm -r "$folder"' EXIT
    each=100000
    {
      cat <<DESCRIPTOR
apiVersion: iotmano/v1
kind: IoTServiceDescriptor
metadata: { invariantId: 'urn:conformance:$host', version: 1.0.0, provider: conformance, name: '$host' }
functions:
DESCRIPTOR
      padding=$(head -c "$each" /dev/zero | tr '\0' x)
      count=$(($3 / each + 1))
      while [ "$count" -gt 0 ]; do
        echo "  - { name: kit-$count, function: '$LARGE_FUNCTION', version: '>=0.0.0', coverage: { each: 'site = $host' }, config: { padding: '$padding' } }"
        count=$((count - 1))
      done
    } > "$folder/$host.yaml"
    $iotmano package onboard "$folder/$host.yaml" > /dev/null
    $iotmano service deploy "$host" > /dev/null
    ;;
  unassign) $iotmano service rm "$host" > /dev/null ;;
  confirm) $iotmano host confirm "$host" ;;
  settle) $iotmano host settle "$host" ;;
  revoke) $iotmano host revoke "$host" ;;
  forget) $iotmano host forget "$host" ;;
  state) $iotmano hosts | awk -v host="$host" '$1 == host { print $2 }' ;;
  measurement)
    token=${IOTMANO_TOKEN:-$(cat "$IOTMANO_DATA/admin.token")}
    curl --silent --fail --header "authorization: Bearer $token" \
      "${IOTMANO_URL:-http://127.0.0.1:8900}/iotmano/v1/measurements?hostId=$host&metric=$3&latest=true"
    ;;
  diagnostics-on) $iotmano diagnostics on > /dev/null ;;
  diagnostics-off) $iotmano diagnostics off > /dev/null ;;
  command-begin)
    shift 2
    copy=$($iotmano --output json ps --service "$host" | sed -n 's/^ *"id": *"\([^"]*\)".*/\1/p' | head -n 1)
    folder=$(mktemp -d)
    $iotmano exec "$copy" -- "$@" < /dev/null > "$folder/output" 2> "$folder/errors" &
    echo "$! $folder"
    ;;
  command-output) cat "${2#* }/output" ;;
  command-end)
    kill -INT "${2%% *}" 2> /dev/null || true
    rm -rf "${2#* }"
    ;;
  upgrade-begin)
    [ -n "${AGENT_RELEASE:-}" ] || exit 64
    shift
    $iotmano agent release add "$AGENT_RELEASE" > /dev/null
    # Waves are counted from the beginning: one host, and three with the next two.
    $iotmano agent upgrade "$AGENT_RELEASE_VERSION" --no-wait --wave 1 3 --select "host in ($(echo "$*" | sed 's/ /, /g'))"
    ;;
  upgrade-state)
    id=$($iotmano --output json agent upgrades list | sed -n 's/^ *"id": *"\([^"]*\)".*/\1/p' | tail -n 1)
    $iotmano agent upgrades show "$id"
    ;;
  upgrade-end)
    # One that has stopped, or is over, cannot be cancelled.
    $iotmano agent upgrade --cancel 2> /dev/null || true
    $iotmano agent upgrade --fail 2> /dev/null || true
    ;;
  audit) $iotmano audit ;;
  restart) [ -n "${RESTART:-}" ] || exit 64; sh -c "$RESTART" ;;
  reset) [ -n "${RESET:-}" ] || exit 64; sh -c "$RESET" ;;
  *) exit 64 ;;
esac
