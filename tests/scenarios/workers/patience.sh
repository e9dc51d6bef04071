#!/bin/sh
# A task that is never ready: asks to be asked again in an hour.
record=$(sed -n 's/^record: //p')
echo "$1 $JARVIS_STEP $JARVIS_ATTEMPT" >> "$record"
echo 'retry-after: 3600' >&2
exit 75
