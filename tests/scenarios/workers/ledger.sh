#!/bin/sh
# Writes down every call as "TASK MODE STEP ATTEMPT" in the file `record` of the clipboard, and does what its name begins with:
#   fail...   exit 1      hold...   waits at the gate      calm...   changes nothing, also in plan mode
#   refuse... exit 1 in plan mode only      soon...   exit 75 the first two times
# Anything else adds `TASK: done` to the clipboard unless it is there; in plan mode it says so and prints what must be ignored.
set -u
clipboard=$(cat)
value() { printf '%s\n' "$clipboard" | sed -n "s/^$1: //p"; }
record=$(value record)
echo "$1 $JARVIS_MODE $JARVIS_STEP $JARVIS_ATTEMPT" >> "$record"
case $1 in
  fail*) echo "$1 does not work" >&2; exit 1 ;;
  refuse*) [ "$JARVIS_MODE" = apply ] || { echo "no image of that name" >&2; exit 1; } ;;
  hold*) echo "$JARVIS_TASK $JARVIS_ATTEMPT $$" > "$(value gate)/began"; read -r _ < "$(value gate)/go" ;;
  calm*) exit 0 ;;
  soon*) [ "$(grep -c "^$1 $JARVIS_MODE " "$record")" -gt 2 ] || { echo 'retry-after: 0.05' >&2; exit 75; } ;;
esac
if [ "$JARVIS_MODE" = plan ]; then
  echo "change: $1 would be done" >&2
  echo '- this is not a clipboard'
  exit 0
fi
printf '%s\n' "$clipboard"
printf '%s\n' "$clipboard" | grep -q "^$1:" || echo "$1: done"
