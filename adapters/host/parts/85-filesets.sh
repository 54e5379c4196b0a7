# --- filesets: a folder of a cluster, sent by rsync from the host of the primary to another. jobs/files.FILESET.TARGET/ is there on both ---
# "fileset" says what the job is about (key=value). Source: key, list (what a dry run told), sent. Target: incoming (the receiver's group).
# Three names in the folder itself are ours, and never travel: the identity, what was set aside, and what is not complete yet.

readonly IDENTITY=.standfast-fileset
readonly SET_ASIDE=.standfast-aside
readonly UNFINISHED=.standfast-tmp
readonly FILES=$STATE/files
readonly FILES_LOG=/var/log/standfast-files.log

declare -A F=()

# store_fileset KEY…: what the order said of them.
store_fileset() {
  local key text=''
  for key in "$@"; do
    text+="${text:+$'\n'}$key=${ARG[$key]-}"
  done
  mkdir -p "$JOB_DIR" || refuse Unverified "$VERB: cannot make $JOB_DIR on $HOSTNAME"
  store "$JOB_DIR/fileset" 0600 "$text"
  read_fileset
}

# Sets F; no when the job was never opened here.
read_fileset() {
  local line
  F=()
  [[ -e $JOB_DIR/fileset ]] || return 1
  while IFS= read -r line; do
    F[${line%%=*}]=${line#*=}
  done <"$JOB_DIR/fileset"
}

# The order's own arguments, for verbs that look before there is a job.
fileset_of_arguments() {
  local key
  F=()
  for key in "${!ARG[@]}"; do
    F[$key]=${ARG[$key]}
  done
}

# Sets FAULT to why this folder may not be used, and DETAIL; nothing: it may. From here on the working directory holds on to the folder that was looked at:
# whatever is unmounted or mounted over its name, what follows sees the same files.
enter_folder() {
  FAULT='' DETAIL=${F[path]}
  command -v rsync >/dev/null || { FAULT=RsyncMissing; return 1; }
  rsync_is_safe || { FAULT=RsyncOld; return 1; }
  cd "${F[path]}" 2>/dev/null || { FAULT=$1Missing; return 1; }
  PLACE=$(pwd -P)/
  PLACE=${PLACE/#\/\//\/}
  ! holds_database || { FAULT=DatabaseDirectory; return 1; }
  ! holds_mount || { FAULT=NestedMount; return 1; }
}

# It runs as root in a folder that others own, who could lay a link in its way; since 3.5.0 it does not follow one that somebody else owns.
rsync_is_safe() {
  local line=''
  IFS= read -r line < <(rsync --version 2>/dev/null)
  DETAIL=$line
  [[ $line =~ version\ v?([0-9]+)\.([0-9]+) ]] || return 1
  ((BASH_REMATCH[1] > 3 || (BASH_REMATCH[1] == 3 && BASH_REMATCH[2] >= 5))) || return 1
  DETAIL=${F[path]}
}

# overlaps FOLDER: it is this folder, inside of it, or around it.
overlaps() {
  local other
  other=$(realpath -m -- "$1") && other=${other%/}/
  [[ $PLACE == "$other"* || $other == "$PLACE"* ]] && DETAIL="${F[path]} (${1%/})"
}

holds_database() {
  local pid index found kind
  ! overlaps "${CONF[datadir]}" || return 0
  server_option datadir
  [[ -z $OPTION ]] || ! overlaps "$OPTION" || return 0
  scan_processes
  for pid in "${MYSQLD[@]}"; do
    found=$(readlink "/proc/$pid/cwd") || continue
    ! overlaps "$found" || return 0
  done
  for kind in log_bin relay_log; do
    log_indexes "$kind"
    for index in "${INDEXES[@]}"; do
      ! overlaps "${index%/*}" || return 0
    done
  done
  # Also of a server that does not run, or is not ours.
  for kind in ibdata1 aria_log_control PG_VERSION; do
    for found in "./$kind" ./*/"$kind"; do
      [[ ! -e $found ]] || { DETAIL="${F[path]} (${found#./})"; return 0; }
    done
  done
  return 1
}

# What is mounted inside would be filled, or deleted, as if it were a part of this folder; and a rename across it is a copy.
holds_mount() {
  local point rest
  while read -r _ _ _ _ point rest; do
    printf -v point '%b' "${point//\\/\\0}"
    [[ $point == "$PLACE"?* ]] && DETAIL="${F[path]} ($point)" && return 0
  done </proc/self/mountinfo
  return 1
}

# Sets FOUND: whose folder this is, as it says itself; nothing: it does not say.
read_identity() {
  FOUND=''
  [[ ! -e $IDENTITY && ! -L $IDENTITY ]] && return 0
  [[ -f $IDENTITY && ! -L $IDENTITY ]] || { FOUND='?'; return 0; }
  IFS= read -r FOUND <"$IDENTITY" || true
}

# A file that is made anew follows no link that somebody has laid in its place.
ensure_identity() {
  [[ -z $FOUND ]] || return 0
  rm -f "./$IDENTITY"
  (set -o noclobber && umask 022 && printf '%s %s\n' "${F[cluster]}" "${F[fileset]}" >"./$IDENTITY") &&
    sync "./$IDENTITY" || refuse Unverified "cannot write ${F[path]}$IDENTITY on $HOSTNAME; nothing was sent"
}

# remember TEXT: "SOURCE LINEAGE" of the last run that ended well, or "- -". That it is there says that the folder had its identity once.
# When what it says is lost with the power, the next run is a first one again, which harms nothing.
remember() {
  local way=replace
  [[ -e $FILES/${F[fileset]} ]] || way=store
  mkdir -p "$FILES" && "$way" "$FILES/${F[fileset]}" 0600 "$1"
}

# Whether this host has received from that source before, and nobody was promoted since: what it has beyond the source was deleted there, and is not new here.
is_settled() {
  local line=''
  [[ ! -e $FILES/${F[fileset]} ]] || IFS= read -r line <"$FILES/${F[fileset]}"
  [[ -n $LINEAGE && $line == "${F[source]} $LINEAGE" ]]
}

# has_other [NAME]: whether the folder has an entry that is neither ours nor this one.
has_other() {
  local name
  while IFS= read -rd '' name; do
    [[ " $IDENTITY $SET_ASIDE $UNFINISHED lost+found " == *" $name "* || $name == "${1-}" ]] && continue
    return 0
  done < <(find . -mindepth 1 -maxdepth 1 -printf '%f\0')
  return 1
}

# The host of the recorded primary alone sends.
look_at_source() {
  [[ $PRIMARY == "${F[name]}" && $FENCED == no ]] || { FAULT=WrongDirection DETAIL=${PRIMARY:-nobody}; return 1; }
  enter_folder Source || return 1
  [[ -e ./${F[marker]} && ! -L ./${F[marker]} ]] || { FAULT=SourceUnmarked DETAIL=${F[path]}${F[marker]}; return 1; }
  has_other "${F[marker]}" || { FAULT=SourceEmpty; return 1; }
  read_identity
  [[ -z $FOUND || $FOUND == "${F[cluster]} ${F[fileset]}" ]] || { FAULT=OtherFileset DETAIL="${F[path]} ($FOUND)"; return 1; }
}

# Only from the recorded primary, and never on its own host. An empty folder that never had an identity is given one; one that lost it may be unmounted.
look_at_target() {
  [[ $PRIMARY == "${F[source]}" && $PRIMARY != "${F[name]}" ]] || { FAULT=WrongDirection DETAIL=${PRIMARY:-nobody}; return 1; }
  enter_folder Target || return 1
  read_identity
  if [[ -z $FOUND ]]; then
    [[ ! -e $FILES/${F[fileset]} ]] && ! has_other || { FAULT=TargetUnmarked DETAIL=${F[path]}$IDENTITY; return 1; }
  fi
  [[ -z $FOUND || $FOUND == "${F[cluster]} ${F[fileset]}" ]] || { FAULT=OtherFileset DETAIL="${F[path]} ($FOUND)"; return 1; }
}

# look_at_folder ROLE
look_at_folder() {
  FAULT='' DETAIL='' MEMBER=''
  load_records && load_standing || return 1
  [[ -z $MEMBER || $MEMBER == "${F[name]}" ]] || { FAULT=WrongDirection DETAIL="$HOSTNAME is $MEMBER"; return 0; }
  "look_at_$1" || [[ -n $FAULT ]]
}

refuse_fault() {
  [[ -z $FAULT ]] || refuse Unsafe "$VERB: $FAULT on $HOSTNAME: $DETAIL; no file was changed"
}

verb_files_look() {
  local settled=no
  fileset_of_arguments
  look_at_folder "${ARG[role]}" || return 1
  ! is_settled || settled=yes
  say fault "$FAULT"
  say detail "$DETAIL"
  say settled "$settled"
}

# end_files PRIMARY: whoever sends or receives files for another direction than from that host is ended. A receiver notes itself before it looks at the records,
# so it sees the new one or is found here. What is killed executes nothing more of its own, so a promotion does not wait long for its last system call.
end_files() {
  local group JOB_DIR
  local -A F=()
  local -a wrong=()
  for group in "$JOBS"/files.*/{incoming,group}; do
    [[ -e $group ]] || continue
    JOB_DIR=${group%/*}
    read_fileset && [[ ${F[source]} == "$1" ]] || wrong+=("$group")
  done
  ((${#wrong[@]} == 0)) || within 250 groups_gone "${wrong[@]}" || true
}

# groups_gone FILE…: every one is killed before any is waited for.
groups_gone() {
  local file left=0
  for file in "$@"; do
    group_gone "$file" || left=1
  done
  return "$left"
}

verb_files_log() {
  (umask 027 && printf '[%(%Y-%m-%d %H:%M:%S)T] %s\n' -1 "${ARG[line]}" >>"$FILES_LOG") || refuse Unverified "cannot write $FILES_LOG on $HOSTNAME"
}
