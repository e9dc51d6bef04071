#!/bin/sh
# The worker contract's subject in sh: one task per way in which a worker can behave. See subject.py for what each one is.
# Files named on the clipboard: `record` gets a line per attempt, `gate` is a directory with the FIFOs began and go.
set -u

# Output before input is read: this one must not touch stdin first.
if [ "$1" = early ]; then
  printf 'hostname: loki\nfqdn: loki.example.org\nadded: early\n'
  exit 0
fi
if [ "$1" = both ]; then
  line='# ---------------------------------------------------------------- and so on, for two hundred kilobytes and more'
  i=0
  while [ $i -lt 2000 ]; do echo "$line"; i=$((i + 1)); done
  cat
  echo 'added: both'
  exit 0
fi

clipboard=$(cat)
value() { printf '%s\n' "$clipboard" | sed -n "s/^$1: //p"; }
everything() { printf '%s\n' "$clipboard"; }
record=$(value record)
[ -z "$record" ] || echo "$1 $JARVIS_STEP $JARVIS_ATTEMPT" >> "$record"
begun() { grep -c "^$1 $JARVIS_STEP " "$record"; }

case $1 in
  before) everything; echo 'marker: before'; echo 'dropme: soon gone' ;;
  empty) ;;
  comments) printf '\n# nothing to say\n\n' ;;
  full) everything; echo 'added: full' ;;
  drop) everything | grep -v '^dropme:' ;;
  look) echo "keys: $(everything | sed -n 's/^\([a-z_]*\):.*/\1/p' | tr '\n' ' ')" >&2 ;;
  partial) echo 'added: alone' ;;
  scalar) echo 'all is well' ;;
  list) printf -- '- all\n- is\n- well\n' ;;
  two) everything; echo '---'; everything ;;
  invalid) everything; echo "added: 'unclosed" ;;
  huge) everything; echo 'added: |'; yes '  nine mebibytes of this line, which is more than anybody may print' | head -c 9437184 ;;
  rename) everything | sed 's/^hostname: .*/hostname: thor/' ;;
  again) if [ "$(begun again)" -lt 5 ]; then echo 'retry-after: 0.05' >&2; exit 75; fi; everything; echo 'added: again' ;;
  fail) everything; echo 'no such region: Atlantis' >&2; exit 1 ;;
  die) everything; kill -9 $$ ;;
  die_once) [ "$(begun die_once)" -gt 1 ] || kill -9 $$; everything; echo 'added: die_once' ;;
  leave_child) everything; echo 'added: leave_child'; sleep infinity & ;;
  leave_session) everything; echo 'added: leave_session'; setsid sleep infinity & ;;
  stubborn) trap '' TERM; everything; while :; do read -r _ < "$(value gate)/go"; done ;;
  flood) yes 'a line of the flood on standard error, of which there are very many' | head -c 20971520 >&2; everything; echo 'added: flood' ;;
  gate) echo "$JARVIS_TASK $JARVIS_ATTEMPT $$" > "$(value gate)/began"; read -r _ < "$(value gate)/go"; everything; echo 'passed: gate' ;;
  progress) echo 'progress: 3 of 5 mounted' >&2; echo "$1" > "$(value gate)/began"; read -r _ < "$(value gate)/go" ;;
  *) echo "subject.sh: $1: no such task" >&2; exit 64 ;;
esac
