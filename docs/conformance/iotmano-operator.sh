#!/bin/sh
# What an operator of iotmano does for `iotmano conformance orchestrator --operator-command`: an action, and its arguments. Change the
# commands to those of your own orchestrator. An action that it does not know ends with 64: the cases that need it are then not applicable.
#
# NATS, not empty: tokens are for NATS. IOTMANO_URL and IOTMANO_DATA (or IOTMANO_TOKEN) as always. RESTART, RESET: commands that kill the orchestrator and start it
# again, and that start it without its state. What it assigns, and what agents are to become, it makes itself.
set -eu

action=$1
host=${2:-}
iotmano=${IOTMANO:-iotmano}
function=urn:iotmano:function:conformance
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' HUP INT TERM

is_onboarded() { $iotmano --output json package list | grep -q "\"$function\""; }

# A function that any host can run and that needs nothing else. Others may onboard it at the same time.
onboard() {
  if is_onboarded; then return; fi
  mkdir -p "$folder/function/artifacts"
  echo 'setInterval(() => {}, 1000);' > "$folder/main.js"
  tar -C "$folder" -czf "$folder/function/artifacts/main.tgz" main.js
  cat > "$folder/function/descriptor.yaml" <<DESCRIPTOR
apiVersion: iotmano/v1
kind: IoTFunctionDescriptor
metadata: { invariantId: '$function', provider: iotmano, productName: conformance, softwareVersion: 1.0.0, descriptorVersion: 1.0.0, role: ae }
config:
  type: object
  properties: { password: { type: string, secret: true }, padding: { type: string } }
units:
  - name: main
    artifacts: [{ type: process, command: [node, main.js], files: main.tgz }]
    resources: { cpu: 10m, memory: 64Mi }
    bindings: { path: bindings.json, onChange: reload }
    security: { nonRoot: false }
flavours: [{ name: default, levels: [{ name: one, instances: { main: 1 } }] }]
healing: { restart: { within: 60s, times: 5, backoff: 1s..2s }, lostAfter: 6s }
DESCRIPTOR
  $iotmano package build "$folder/function" --file "$folder/function.zip" > /dev/null
  $iotmano package onboard "$folder/function.zip" > /dev/null 2>&1 || true
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if is_onboarded; then return; fi
    sleep 1
  done
  $iotmano package onboard "$folder/function.zip"
}

# That often, with that configuration, on a host of the kit, which has its own name as the label `site`.
deploy() {
  onboard
  {
    cat <<DESCRIPTOR
apiVersion: iotmano/v1
kind: IoTServiceDescriptor
metadata: { invariantId: 'urn:conformance:$host', version: 1.0.0, provider: conformance, name: '$host' }
functions:
DESCRIPTOR
    count=$1
    while [ "$count" -gt 0 ]; do
      printf '%s\n' "  - { name: kit-$count, function: '$function', version: '>=0.0.0', coverage: { each: 'site = $host' }, config: { $2 } }"
      count=$((count - 1))
    done
  } > "$folder/$host.yaml"
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
  assign) deploy 1 '' ;;
  assign-secret) deploy 1 "password: '$3'" ;;
  assign-large)
    each=100000
    deploy $(($3 / each + 1)) "padding: '$(head -c "$each" /dev/zero | tr '\0' x)'"
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
    command=$(mktemp -d)
    $iotmano exec "$copy" -- "$@" < /dev/null > "$command/output" 2> "$command/errors" &
    echo "$! $command"
    ;;
  command-output) cat "${2#* }/output" ;;
  command-end)
    kill -INT "${2%% *}" 2> /dev/null || true
    rm -rf "${2#* }"
    ;;
  upgrade-begin)
    shift
    # A program that says of itself what agents say, and that no host of the kit runs.
    version=99.0.0
    printf '/*! iotmano-agent {"version":"%s","formats":{}} */\n' "$version" > "$folder/agent.js"
    $iotmano agent release add "$folder/agent.js" > /dev/null
    # Waves are counted from the beginning: one host, and three with the next two.
    $iotmano agent upgrade "$version" --no-wait --wave 1 3 --select "host in ($(echo "$*" | sed 's/ /, /g'))"
    ;;
  upgrade-state) $iotmano agent upgrades show ;;
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
