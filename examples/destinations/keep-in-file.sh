#!/bin/sh
# Keeps a secret in a file of its own, with what was there before beside it:
#   exec:?can=verify,restore /PATH/keep-in-file.sh /PATH/OF/THE/SECRET
# The last argument says what to do. Standard input has one line of JSON, and `fields` is its last member.
set -eu
umask 077
place=$1 before=$1.before new=$1.new
fields=$(sed 's/.*"fields"://; s/}$//')
holds() { [ "$(cat "$place" 2>/dev/null)" = "$fields" ]; }

case $2 in
prepare) [ -w "${place%/*}" ] || { echo "${place%/*} cannot be written" >&2; exit 1; } ;;
deliver)
    holds && exit 0 # a repeat
    if [ -e "$place" ]; then cp -p "$place" "$before"; else rm -f "$before"; fi
    printf '%s\n' "$fields" >"$new"
    mv "$new" "$place"
    ;;
verify) holds || exit 10 ;; # 10: it is not so
restore)
    if holds; then
        if [ -e "$before" ]; then cp -p "$before" "$new" && mv "$new" "$place"; else rm -f "$place"; fi
    elif [ -e "$before" ]; then
        cmp -s "$place" "$before" || exit 10 # somebody has changed it since
    elif [ -e "$place" ]; then
        exit 10
    fi
    ;;
*) exit 64 ;;
esac
