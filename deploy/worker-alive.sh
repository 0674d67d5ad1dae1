#!/bin/sh
# A worker's health: the file it touches each time a message of its own came back to it is younger than two minutes.
# A worker can be alive and deaf (its connection half open after a broker restart); only this shows it.
set -eu
[ -n "$(find "${OCTANT_HEARTBEAT_FILE:?}" -mmin -2)" ]
