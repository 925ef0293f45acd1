#!/bin/sh
# The text store as a script for one client, on standard input and output; any number of them at
# once share the text, which is in the file of the first argument. See text_store_server.py.
[ -e "$1" ] || echo empty > "$1"
while IFS= read -r line; do
    request=${line%% *}
    case $request in
        READ) cat "$1" ;;
        UPDATE)
            # A reader finds the old text or the new one, never a part.
            printf '%s\n' "${line#UPDATE }" > "$1.$$" && mv "$1.$$" "$1" && echo OK
            ;;
        CLOSE) echo BYE; exit ;;
        *) echo "what is $request?" ;;
    esac
done
