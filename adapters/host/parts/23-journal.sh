# --- the journal: what was ordered here and what became of it. It explains; nothing decides by it ---

readonly JOURNAL=$STATE/journal
readonly JOURNAL_BYTES=4194304

# One line: time (µs), request, epoch, run, verb, outcome. Not synced. It begins on a line of its own also where the one before has no end: after a power cut, and
# when the disk was full. The place in an open file says its size without a process.
write_journal() {
  local line size=0
  now
  line="$NOW $ID ${ARG[epoch]:--} ${ARG[run]:--} $VERB $1"
  [[ -e $RUN/journal-whole || ! -s $JOURNAL ]] || line=$'\n'$line
  if { printf '%s\n' "$line" && read -r _ size </proc/self/fdinfo/1; } 2>/dev/null >>"$JOURNAL"; then
    [[ -e $RUN/journal-whole ]] || : >"$RUN/journal-whole"
  else
    rm -f "$RUN/journal-whole"
  fi
  ((size <= JOURNAL_BYTES)) || rotate_journal
}

# Orders of filesets write here as well, under locks of their own: only one of them rotates, and only when nobody has.
rotate_journal() {
  local turn
  exec {turn}>"$RUN/journal-lock"
  ! flock -n "$turn" || (($(stat -c %s "$JOURNAL") <= JOURNAL_BYTES)) || mv -fT "$JOURNAL" "$JOURNAL.1"
  exec {turn}>&-
} 2>>"$ERRORS"

verb_journal() {
  local time id epoch run rest entries=''
  while read -r time id epoch run rest; do
    [[ $run != "${ARG[run]}" ]] || entries+="${entries:+$'\n'}$time $id $epoch $run $rest"
  done < <(grep -hF -- " ${ARG[run]} " "$JOURNAL.1" "$JOURNAL" 2>/dev/null)
  say entries "$entries"
}
