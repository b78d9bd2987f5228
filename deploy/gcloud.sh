# shellcheck shell=bash
# The few ways in which deploy.sh speaks to Google Cloud: look, ask, change, allow.
# Every one of them takes a command of gcloud without the word gcloud and without --project.

# How many changes there were, and the policies that were read, by resource.
changes=0
declare -A policies=()
# Failures that pass by themselves: Google knows a new identity, API or metric everywhere only after a while.
passing='([Ss]ervice account [^ ]+ does not exist|has not been used in project|Cannot find metric|concurrent policy changes'
passing+='|Role [^ ]+ does not exist in the resource)'
policy_format='value[separator="|"](bindings.role,bindings.members,bindings.condition.title)'

say() { printf '%s\n' "$*" >&2; }

# Wrong input: nothing was done.
fail() {
  printf 'deploy.sh: %s\n' "$*" >&2
  exit 2
}

# A step that failed: what it was, what Google said, what to do. Running it again goes on from there.
stopped() {
  local command=$1 said=$2 remedy='mend that'
  case $said in
    *PERMISSION_DENIED* | *'does not have permission'* | *forbidden* | *'(403)'*)
      remedy="let your account do that in ${setting[PROJECT]} (an owner of the project may do all of it)" ;;
    *billing* | *Billing*) remedy="enable billing: gcloud billing projects link ${setting[PROJECT]} --billing-account=…" ;;
    *'in a deleted state'*) remedy='name another --role-prefix (a deleted role keeps its name for up to 37 days)' ;;
    *RESOURCE_EXHAUSTED* | *[Qq]uota*) remedy='ask for more of that quota, or wait' ;;
  esac
  printf 'deploy.sh: this failed:\n  %s\n%s\nWhat was done stays. To go on: %s, and run deploy.sh again.\n' \
    "$command" "$said" "$remedy" >&2
  # Where a value was asked for, this is a shell of its own: whoever waits for the value must not go on without it.
  [[ $BASHPID == "$$" ]] || kill -TERM "$$"
  exit 1
}

# A quotation mark inside $(…): the shell wants it as it is, although the whole is quoted.
inner_quote=$'\1'

# A word as a person pastes it; one that asks gcloud for something keeps asking.
# shellcheck disable=SC2016  # that text itself is looked for
quoted() {
  local word=$1 plain='^[A-Za-z0-9_@%+=:,./-]+$' flag='^(--[a-z-]+=)(.+)$'
  if [[ $word =~ $plain ]]; then
    printf %s "$word"
  elif [[ $word == *'$(gcloud '* ]]; then
    word=${word//\\/\\\\}
    word=${word//\"/\\\"}
    word=${word//\`/\\\`}
    printf '"%s"' "${word//$inner_quote/\"}"
  elif [[ $word =~ $flag ]]; then
    printf '%s%s' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]@Q}"
  else
    printf %s "${word@Q}"
  fi
}

as_line() {
  local word separator=''
  for word; do
    printf '%s' "$separator"
    quoted "$word"
    separator=' '
  done
}

# The whole command: gcloud in front, the project behind unless another one is named.
complete_command() {
  local word
  command=(gcloud "$@")
  for word; do [[ $word != --project=* ]] || return 0; done
  command+=("--project=${setting[PROJECT]}")
}

# What there is. A plan assumes an empty project; of a service that is not enabled there is nothing.
look() {
  [[ -z $dry_run ]] || return 0
  is_enabled "$@" || return 0
  ask "$@"
}

# A value that only Google knows; a plan asks for it when it is pasted.
ask() {
  local -a command
  local out
  complete_command "$@"
  if [[ -n $dry_run ]]; then
    # shellcheck disable=SC2016  # the shell that it is pasted into expands it
    printf '$(%s)' "$(as_line "${command[@]}" | sed "s/\"/$inner_quote/g")"
    return
  fi
  out=$("${command[@]}" 2>"$errors" </dev/null) || stopped "$(as_line "${command[@]}")" "$(<"$errors")"
  [[ -z $out ]] || printf '%s\n' "$out"
}

change() {
  local -a command
  complete_command "$@"
  run '' "$(as_line "${command[@]}")" "${command[@]}"
}

# The same for a command that reads TEXT.
change_from() {
  local text=$1
  local -a command
  shift
  complete_command "$@"
  run "$text" "printf %s $(quoted "$text") | $(as_line "${command[@]}")" "${command[@]}"
}

# The same where TEXT has a secret in it, as $NAME.
change_from_template() {
  local text=$1 name=$2
  local -a command
  shift 2
  complete_command "$@"
  # printf is the shell's own: a command that replaced it would show the secret in the list of processes.
  local format=${text//%/%%}
  format=${format//\\/\\\\}
  format=${format//\$$name/%s}
  run "${text//\$$name/"${!name:-}"}" "printf ${format@Q} \"\$$name\" | $(as_line "${command[@]}")" "${command[@]}"
}

# The same for a secret, which stands in the variable NAME and on no screen.
change_from_variable() {
  local name=$1
  local -a command
  shift
  complete_command "$@"
  run "${!name:-}" "printf %s \"\$$name\" | $(as_line "${command[@]}")" "${command[@]}"
}

# One change: told as one line, and done unless only a plan is wanted.
run() {
  local text=$1 line=$2 said
  shift 2
  changes=$((changes + 1))
  if [[ -n $dry_run ]]; then
    printf '%s\n' "$line"
    return
  fi
  if ((${#line} > 400)); then say "+ ${line:0:400}…"; else say "+ $line"; fi
  for pause in 10 10 20 40 60 ''; do
    # bq says on standard output what went wrong.
    if said=$(printf %s "$text" | "$@" 2>&1); then return; fi
    if [[ -z $pause || ! $said =~ $passing ]]; then stopped "$line" "$said"; fi
    say "  not yet; again in $pause s"
    sleep "$pause"
  done
}

# The line of LINES that begins with NAME|.
line_of() {
  local lines=$1 name=$2 line
  while IFS= read -r line; do
    if [[ $line == "$name|"* ]]; then
      printf '%s\n' "$line"
      return
    fi
  done <<<"$lines"
}

has_line() { [[ $'\n'$1$'\n' == *$'\n'"$2"$'\n'* ]]; }

# Lets MEMBER do what ROLE names with one resource: allow MEMBER ROLE 'pubsub topics' NAME [FLAG…]. What flags name has no
# NAME ('').
allow() {
  local member=$1 role=$2 kind=$3 name=$4 condition='' flag
  local -a words
  shift 4
  for flag; do
    [[ $flag != --condition=title=* ]] || { condition=${flag#--condition=title=} && condition=${condition%%,*}; }
  done
  read_policy "$kind" "$name" "$@"
  ! has_line "${policies[$kind/$name]}" "$role|$member|$condition" || return 0
  read -ra words <<<"$kind"
  change "${words[@]}" add-iam-policy-binding ${name:+"$name"} "$@" "--member=$member" "--role=$role"
  policies[$kind/$name]+=$'\n'"$role|$member|$condition"
}

read_policy() {
  local kind=$1 name=$2 flag
  local -a words flags=()
  [[ ! -v policies[$kind/$name] ]] || return 0
  shift 2
  for flag; do [[ $flag == --condition=* ]] || flags+=("$flag"); done
  read -ra words <<<"$kind"
  policies[$kind/$name]=$(look "${words[@]}" get-iam-policy ${name:+"$name"} "${flags[@]}" \
    '--flatten=bindings[].members[]' "--format=$policy_format")
}

# A short mark of everything given, for a label: it tells whether what is deployed is what would be.
digest() {
  local sum
  sum=$(printf '%s\0' "$@" | sha256sum)
  printf %s "${sum:0:16}"
}

digest_of_files() {
  local sum
  sum=$(find "$@" -type f -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
  printf %s "${sum:0:16}"
}
