# shellcheck shell=bash
# People whom migrator and viewer let in: what they are granted, and what destroy takes back. Only what they did not hold
# before is noted, in the job's variables and before it is granted: so that destroy takes no more than was given.

check_member() {
  [[ $2 =~ ^(user|group|serviceAccount):[^@,[:space:]]+@[^@,[:space:]]+$ ]] ||
    fail "$1 $2: is not user:…, group:… or serviceAccount:… with an address"
}

# Grants MEMBER what standard input has, each as ROLE PLACE: projects/P, 'pubsub topics/T', datasets/P.D and the like.
let_in() {
  local member=$1 role place
  local -a missing=()
  while read -r role place; do
    is_held "$member" "$role" "$place" || missing+=("$member $role $place")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  note_people "${missing[@]}"
  for place in "${missing[@]}"; do
    read -r member role place <<<"$place"
    find_place "$place"
    if [[ $place_kind == datasets ]]; then
      change_access GRANT TO "$(location_of "$(show_place)")" "${place_name%.*}" "${place_name##*.}" "$role" "$member"
    else
      allow "$member" "$role" "$place_kind" "$place_name" "${place_flags[@]}"
    fi
  done
}

# A place as gcloud is told it.
find_place() {
  place_kind=${1%%/*} place_name=${1#*/} place_flags=()
  case $place_kind in
    projects) place_flags=(--condition=None) ;;
    instances) # a grant in the instance's project, for that instance alone
      place_flags=("$(instance_condition "$place_name")") place_kind=projects place_name=${place_name%%:*}
      ;;
    run*) place_flags=("--region=${setting[REGION]}") ;;
    beta*) # what IAP protects is named by flags alone
      place_flags=(--resource-type=cloud-run "--region=${setting[REGION]}" "--service=$place_name") place_name=''
      ;;
  esac
}

show_place() { show_dataset "${place_name%.*}" "${place_name##*.}"; }

is_held() {
  local member=$1 role=$2 condition=''
  find_place "$3"
  if [[ $place_kind == datasets ]]; then
    holds_role "$(show_place)" "$role" WRITER "${member#*:}"
  else
    read_policy "$place_kind" "$place_name" "${place_flags[@]}"
    [[ $3 != instances/* ]] || condition=$instance_title
    has_line "${policies[$place_kind/$place_name]}" "$role|$member|$condition"
  fi
}

# By a change of this variable alone, which needs none of the deployment's other settings.
note_people() {
  local each
  read_record
  for each; do note_granted GRANTED_PEOPLE "$each"; done
  change run jobs update "${setting[JOB_NAME]}" "--region=${setting[REGION]}" \
    "--update-env-vars=^|^GRANTED_PEOPLE=${recorded[GRANTED_PEOPLE]}"
}

# What of it is still there, and still theirs.
turn_out_people() {
  local each member role place
  local -a granted
  IFS=, read -ra granted <<<"${recorded[GRANTED_PEOPLE]}"
  for each in "${granted[@]}"; do
    read -r member role place <<<"$each"
    find_place "$place"
    if ! is_place_there || ! is_held "$member" "$role" "$place"; then continue; fi
    if [[ $place_kind == datasets ]]; then
      change_access REVOKE FROM "$(location_of "$(show_place)")" "${place_name%.*}" "${place_name##*.}" "$role" "$member"
      continue
    fi
    remove_binding "$member" "$role" "$place_kind" "$place_name" "${place_flags[@]}"
    unset "policies[$place_kind/$place_name]"
  done
}

is_place_there() {
  case $place_kind in
    pubsub*) has_line "$(look pubsub topics list '--format=value(name.basename())')" "$place_name" ;;
    'run services') is_service "$place_name" ;;
    beta*) is_service "${place_flags[2]#*=}" ;;
  esac
}

is_service() { has_line "$(look run services list "--region=${setting[REGION]}" '--format=value(metadata.name)')" "$1"; }
