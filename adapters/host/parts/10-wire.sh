# --- the wire form: one request a line, one answer a line ---

ID='-' VERB='' ANSWER='' IN_SUBSHELL=no JOURNALING=no
declare -A ARG=()

readonly TOKEN='^[A-Za-z0-9._:/@+-]+$'
readonly NUMBER='^(0|[1-9][0-9]{0,17})$'
readonly IPV4='^([0-9]{1,3}\.){3}[0-9]{1,3}$'
readonly NAME='^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'
readonly FREE='^.+$'

# What the value of each argument must look like, whatever the verb.
declare -A SHAPE=(
  [owner]=$TOKEN [run]=$TOKEN [epoch]='^[1-9][0-9]{0,14}$' [job]='^[A-Za-z0-9][A-Za-z0-9._-]*$' [attempt]=$NUMBER [tables]=$NUMBER [position]='^[0-9,-]*$' [host]=$NAME [account]=$NAME [user]=$NAME
  [vip]=$IPV4 [prefix]='^([1-9]|[12][0-9]|3[0-2])$' [interface]='^[A-Za-z0-9._@-]{1,15}$' [n]='^([1-9]|1[0-3])$'
  [boot]=$TOKEN [name]=$NAME [primary]=$NAME [primary_epoch]=$NUMBER [primary_run]=$TOKEN [sync_epoch]=$NUMBER [lineage]='^[0-9:;,-]*$'
  [mode]='^(lossless|async)$' [ackers]='^([A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*)?$' [k]=$NUMBER [bytes]=$NUMBER
  [server_id]='^[1-9][0-9]{0,9}$' [report_host]=$NAME [settings]='^.*$' [content]=$FREE [sha256]='^[0-9a-f]{64}$'
  [public]='^ssh-ed25519 [A-Za-z0-9+/=]+( [A-Za-z0-9@._-]+)?$' [from]='^[0-9A-Fa-f.:]+$' [target]='^[A-Za-z0-9._:-]+$'
  [target_port]='^[1-9][0-9]{0,4}$' [known_hosts]=$FREE [address]=$IPV4 [refused_at]='^[1-9][0-9]{0,14}$'
  [limit]='^[1-9][0-9]{0,5}$' [addresses]='^([0-9]{1,3}\.){3}[0-9]{1,3}(,([0-9]{1,3}\.){3}[0-9]{1,3})*$'
  [logs]='^(binlog|relay)$' [beyond]='^([0-9]+-[0-9]+-[0-9]+(,[0-9]+-[0-9]+-[0-9]+)*)?$' [tail]='^[1-9][0-9]{0,14}-(binlog|relay)$'
  [read_to]='^[A-Za-z0-9._-]+:[0-9]{1,18}$' [hung_after]='^[1-9][0-9]{1,4}$'
  [names]='^[a-z_]+(,[a-z_]+)*$' [backup]='^/[^[:cntrl:]]*$'
  [offset]=$NUMBER [piece]='^[A-Za-z0-9+/=]+$'
  [role]='^(source|target)$' [source]=$NAME [cluster]=$NAME [fileset]=$NAME [path]='^/([^[:cntrl:]]*[^/])?/$' [marker]='^[^/[:cntrl:]]{1,255}$' [max]=$NUMBER [diff]='^(yes|no)$'
  [deletes]='^(look|count|none|listed|aside)$' [stamp]='^[0-9TZ]{16}(-[0-9]{1,9})?$' [bandwidth]=$NUMBER [compress]='^(yes|no)$' [well]='^(yes|no)$'
  [of]='^(list|sent)$' [kind]='^(deletions|changes)$' [most]='^[1-9][0-9]{0,3}$' [args]=$FREE [line]='^[^[:cntrl:]]+$'
)

# How many characters, where that is not in the shape: a pattern that counts to 200 takes half a millisecond each time.
declare -A LONGEST=([owner]=200 [run]=200 [boot]=200 [primary_run]=200 [job]=160)

# encode NAME VALUE: sets the variable NAME. A control character that has no code cannot travel; it becomes "?".
encode() {
  local -n encoded=$1
  encoded=${2//%/%25}
  encoded=${encoded//$'\t'/%09}
  encoded=${encoded//$'\n'/%0A}
  encoded=${encoded//$'\r'/%0D}
  encoded=${encoded//[[:cntrl:]]/\?}
}

# decode NAME TEXT: says no to anything that encode does not make.
decode() {
  local -n decoded=$1
  local rest=${2//%25/}
  rest=${rest//%09/}
  rest=${rest//%0A/}
  rest=${rest//%0D/}
  [[ $rest != *[%[:cntrl:]]* ]] || return 1
  decoded=${2//%09/$'\t'}
  decoded=${decoded//%0A/$'\n'}
  decoded=${decoded//%0D/$'\r'}
  decoded=${decoded//%25/%}
}

# Most values hold nothing that has to be encoded.
say() {
  local value=$2
  [[ $2 != *[%[:cntrl:]]* ]] || encode value "$2"
  ANSWER+=$'\t'"$1=$value"
}

answer_ok() {
  printf '%s\tok%s\n' "$ID" "$ANSWER"
}

# refuse TYPE MESSAGE: answers "fail". In a verb with its own process that is the end; elsewhere the caller must return.
refuse() {
  local message
  encode message "$2"
  [[ $JOURNALING == no ]] || write_journal "fail $1 $message"
  printf '%s\tfail\t%s\t%s\n' "$ID" "$1" "$message"
  [[ $IN_SUBSHELL == no ]] || exit "$ANSWERED"
  return 1
}

# take_arguments key=value…: fills ARG, or refuses. What is missing, unknown, repeated or misshapen is named.
take_arguments() {
  local item key value known missing=''
  known="${NEEDS[$VERB]}${MAY[$VERB]:+ ${MAY[$VERB]}}"
  [[ ${KIND[$VERB]} != @(order|attempt) ]] || known+=' epoch run job attempt'
  ARG=()
  for item in "$@"; do
    key=${item%%=*}
    if [[ $item != *=* || ! " $known " == *" $key "* ]]; then
      refuse BadInput "$VERB does not take \"$key\"; it takes: ${known:-nothing}"; return 1
    fi
    [[ ! -v ARG[$key] ]] || { refuse BadInput "$VERB: \"$key\" is there twice"; return 1; }
    if ! decode value "${item#*=}"; then
      refuse BadInput "$VERB: the value of \"$key\" has a control character or a % that is not %25 %09 %0A %0D"; return 1
    fi
    if ! [[ $value =~ ${SHAPE[$key]} ]]; then
      refuse BadInput "$VERB: \"$key\" cannot be \"${value:0:80}\"; it must match ${SHAPE[$key]}"; return 1
    fi
    if ((${#value} > ${LONGEST[$key]-${#value}})); then
      refuse BadInput "$VERB: \"$key\" cannot be \"${value:0:80}…\"; it has ${#value} characters, and ${LONGEST[$key]} are the most"; return 1
    fi
    ARG[$key]=$value
  done
  for key in ${NEEDS[$VERB]}; do
    [[ -v ARG[$key] ]] || missing+=" $key"
  done
  [[ -z $missing ]] || { refuse BadInput "$VERB: missing$missing; it needs: ${NEEDS[$VERB]}"; return 1; }
}
