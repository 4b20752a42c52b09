#!/bin/sh
# Stands in for runc where the kernel withholds CAP_SYS_RESOURCE: Docker asks for every capability on --privileged,
# and one that cannot be had makes the whole container fail. So it is taken out of what the container asks for.
# Installed by wealist-local.
set -eu

verb=
bundle=.
process=
expect=
for argument in "$@"; do
  case $expect in
    value) expect= ; continue ;;
    bundle) bundle=$argument; expect= ; continue ;;
    process) process=$argument; expect= ; continue ;;
  esac
  case $argument in
    --bundle | -b) expect=bundle ;;
    --bundle=* | -b=*) bundle=${argument#*=} ;;
    --process | -p) expect=process ;;
    --process=* | -p=*) process=${argument#*=} ;;
    # Options in front of the verb that have a value; -b and -p come after it.
    --root | --log | --log-format | --criu | --rootless) [ -n "$verb" ] || expect=value ;;
    -*) ;;
    *) [ -n "$verb" ] || verb=$argument ;;
  esac
done

case $verb in
  create | run | restore) config=$bundle/config.json ;;
  exec) config=$process ;;
  *) config= ;;
esac

if [ -n "$config" ] && [ -f "$config" ]; then
  # A newline between JSON tokens means nothing and none can stand inside a string: as one line, sed sees all of
  # "capabilities": {…}, an object of plain lists, and the name is taken out there and nowhere else.
  name='"CAP_SYS_RESOURCE"'
  space='[[:space:]]*'
  before="\\(\"capabilities\"$space:$space{[^}]*\\)"
  less=$(tr '\n' ' ' <"$config" | sed -e ':again' \
    -e "s/$before$name$space,$space/\\1/" -e 't again' \
    -e "s/$before,$space$name/\\1/" -e 't again' \
    -e "s/$before$name/\\1/" -e 't again')
  # Written in place: the file keeps its owner and mode.
  [ -z "$less" ] || printf '%s\n' "$less" >"$config"
fi

# Whoever starts the shim may have left the folders of system programs out.
PATH=${PATH:-/usr/bin}:/usr/local/sbin:/usr/sbin:/sbin
exec runc "$@"
