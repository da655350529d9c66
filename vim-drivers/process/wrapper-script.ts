/**
 * The two shell programs that work without the agent. POSIX sh, because a shell costs a fraction of a MiB where a Node costs forty.
 *
 * The wrapper (one for each running instance) marks the slot with a lock that everything below it inherits, starts the program in a
 * session of its own, and writes down its identity and how it ended. Arguments: slot directory, attempt, boot id, lease file, dead-man's time and grace (hundredths of a second, 0 for none), stop signal, cgroups (separated by ":"), flock, setsid, sleep, and the command.
 * It ends with 111 when the slot is taken by an earlier run, 112 when the slot is gone, 113 when the attempt was withdrawn.
 */
export const WRAPPER_SCRIPT = `
slot=$1 attempt=$2 boot=$3 lease=$4 stop=$5 grace=$6 signal=$7 groups=$8 flock=$9
shift 9
setsid=$1 sleep=$2
shift 2
exec 9>>"$slot/lock" || exit 112
"$flock" -n 9 || exit 111
read -r current <"$slot/attempt" || exit 113
[ "$current" = "$attempt" ] || exit 113

now() {
  read -r up rest </proc/uptime
  up=\${up%.*}\${up#*.}
}
enter_groups() {
  IFS=:
  for group in $groups; do echo 0 >"$group/cgroup.procs"; done 2>/dev/null
  unset IFS
}
# The start time is field 22 of stat; the name of the program (field 2) may hold anything.
started_at() {
  start=0
  read -r line <"/proc/$1/stat" || return 1
  line=\${line##*) }
  set -- $line
  start=\${20}
} 2>/dev/null

( enter_groups; exec "$setsid" "$@" ) &
child=$!
started_at "$child"
born=$start
echo "run $attempt $boot $child $born $$ end" >"$slot/run"

# Nothing but time may stop this: it is the promise that a host that nobody hears of runs no single writer for longer than agreed.
deadman() {
  exec 9>&-
  trap 'kill "$sleeper" 2>/dev/null; exit 0' TERM
  while :; do
    at=0
    read -r leased at <"$lease" 2>/dev/null
    [ "$leased" = "$boot" ] || at=0
    now
    left=$((at + stop - grace - up))
    [ "$left" -gt 0 ] || break
    "$sleep" "$((left / 100)).$((left / 10 % 10))5" &
    sleeper=$!
    wait "$sleeper"
    started_at "$child" && [ "$start" = "$born" ] || exit 0
  done
  trap '' TERM
  echo "$attempt" >"$slot/lease-lapsed"
  kill -s "$signal" -- "-$child" 2>/dev/null
  end=$((at + stop))
  while started_at "$child" && [ "$start" = "$born" ]; do
    now
    [ "$up" -lt "$end" ] || break
    "$sleep" 0.1
  done
  kill -s KILL -- "-$child" 2>/dev/null
  IFS=:
  for group in $groups; do
    while read -r pid; do kill -s KILL "$pid"; done <"$group/cgroup.procs"
  done 2>/dev/null
}
if [ "$stop" -gt 0 ]; then
  deadman &
  guard=$!
fi

wait "$child"
code=$?
now
echo "exit $attempt $code $up end" >"$slot/exit"
if [ "$stop" -gt 0 ]; then
  kill -s TERM "$guard" 2>/dev/null
  wait "$guard" 2>/dev/null
fi
exit 0
`.trimStart();

/**
 * The keeper (one for each state directory while anything runs) keeps the output files bounded: what is over the limit is copied to `output.log.1`
 * and emptied. It ends by itself when nothing runs any more. Arguments: state directory, limit in bytes, seconds between looks, flock.
 */
export const KEEPER_SCRIPT = `
root=$1 limit=$2 every=$3 flock=$4
exec 9>>"$root/keeper.lock" || exit 112
"$flock" -n 9 || exit 111
read -r line <"/proc/$$/stat"
line=\${line##*) }
set -- $line
echo "keeper $$ \${20} end" >"$root/keeper"
is_living() {
  for file in "$root"/workloads/*/*/run; do
    read -r word attempt boot pid born rest <"$file" && read -r line <"/proc/$pid/stat" || continue
    line=\${line##*) }
    set -- $line
    [ "\${20}" = "$born" ] && return 0
  done 2>/dev/null
  return 1
}
sleeper=
trap 'kill $sleeper 2>/dev/null; exit 0' TERM
while [ -d "$root/workloads" ]; do
  sleep "$every" 9>&- &
  sleeper=$!
  wait "$sleeper"
  find "$root/workloads" -maxdepth 3 -name output.log -size "+\${limit}c" 2>/dev/null | while read -r file; do
    cp "$file" "$file.1.tmp" && mv "$file.1.tmp" "$file.1" && : >"$file"
  done
  is_living || exit 0
done
`.trimStart();
