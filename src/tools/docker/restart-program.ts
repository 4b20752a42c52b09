/** The word by which the node recognises a container that was started through `restartEntrypoint`. */
const mark = 'wealist-restart';

/**
 * The first words of the command of an image whose program can be restarted without its container, so that the files in
 * the container's volumes stay. The signal USR1 restarts the program; it gets the other signals itself, and when it ends
 * by itself, the container ends with its exit code. A code above 128 may be that of a signal which has interrupted the
 * shell's own wait: then it waits again, for which the shell remembers how the program has ended.
 */
export const restartEntrypoint: readonly string[] = [
  '/bin/sh',
  '-c',
  `for each in HUP INT QUIT TERM USR2; do trap "kill -$each \\$child" "$each"; done
trap 'again=yes; kill "$child"' USR1
while :; do
  again=
  "$@" & child=$!
  wait "$child"; code=$?
  while [ "$code" -gt 128 ]; do
    wait "$child"; next=$?
    if [ "$next" = 127 ] || [ "$next" = "$code" ] && ! kill -0 "$child" 2>/dev/null; then break; fi
    code=$next
  done
  [ "$again" ] || exit "$code"
done`,
  mark,
];

/**
 * Takes the ID of a container and restarts its program; prints `other` for a container without `restartEntrypoint`.
 * USR1 would end a process without a handler for it (bit 9 of SigCgt in proc(5)), so it waits for that first. Ends when the previous process has
 * ended, by force after 10 s.
 */
export const restartScript = `set -e
pid=$(ctr --namespace=k8s.io tasks list | while read -r id pid state; do [ "$id" != "$1" ] || echo "$pid"; done)
[ "$pid" ] || { echo "container $1 does not run" >&2; exit 1; }
tr '\\0' '\\n' <"/proc/$pid/cmdline" | grep -qx ${mark} || { echo other; exit 0; }
until [ $((0x$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$pid/status") & 512)) != 0 ]; do sleep 0.02; done
until children=$(cat "/proc/$pid/task/$pid/children"); [ "$children" ]; do sleep 0.02; done
program=\${children%% *}
kill -USR1 "$pid"
tries=0
while kill -0 "$program" 2>/dev/null; do
  tries=$((tries + 1))
  [ $tries != 500 ] || kill -KILL "$program"
  sleep 0.02
done`;
