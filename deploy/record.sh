# shellcheck shell=bash
# Where something was granted that outlives what destroy deletes: kept in the job's own variables, so that destroy finds
# it without the flags of that day. What was ever granted stays in them: a dataset that is named no more has its grant.

declare -A recorded=(
  [GRANTED_DATASETS]='' [GRANTED_SECRETS]='' [GRANTED_PROJECTS]='' [GRANTED_INSTANCES]='' [GRANTED_SERVICES]=''
  [GRANTED_PEOPLE]='' [PORTAL_DIRECT]=''
)
record_format='value[separator="="](metadata.name,spec.template.spec.template.spec.containers.env.name,spec.template.spec.template.spec.containers.env.value)'

# What the job that is there says, and what this call adds to it.
read_record() {
  local line name other=${setting[CLOUD_SQL_INSTANCE]%%:*} there
  local -a named
  there=$(look run jobs list "--region=${setting[REGION]}" \
    '--flatten=spec.template.spec.template.spec.containers[].env[]' "--format=$record_format")
  while IFS= read -r line; do
    [[ $line == "${setting[JOB_NAME]}="* ]] || continue
    line=${line#*=} name=${line%%=*}
    if [[ $name == PORTAL_DIRECT ]]; then
      recorded[$name]=${recorded[$name]:-${line#*=}}
    elif [[ -v recorded[$name] ]]; then
      note_granted "$name" "${line#*=}"
    fi
  done <<<"$there"
  note_granted GRANTED_DATASETS "${setting[DATASETS]// /,}"
  if has_portal; then
    note_granted GRANTED_SERVICES "${setting[SERVICE]}"
    IFS=', ' read -ra named <<<"${setting[DATASETS]}"
    for name in "${named[@]}"; do note_granted GRANTED_DATASETS "$name${setting[SHADOW_SUFFIX]:-_shadow}"; done
  fi
  ! uses_password || note_granted GRANTED_SECRETS "${setting[PASSWORD_SECRET]}"
  for name in LEGACY_KEY_SECRET SLACK_SECRET WEBHOOK_SECRET; do note_granted GRANTED_SECRETS "${setting[$name]}"; done
  note_granted GRANTED_PROJECTS "${setting[PROJECT]},${setting[BIGQUERY_JOB_PROJECT]},$other"
  uses_password || note_granted GRANTED_INSTANCES "${setting[CLOUD_SQL_INSTANCE]}"
}

# NAME's list with what is new in LIST behind it.
note_granted() {
  local name=$1 each
  local -a new
  IFS=, read -ra new <<<"$2"
  for each in "${new[@]}"; do
    [[ -z $each || ,${recorded[$name]}, == *",$each,"* ]] || recorded[$name]+=${recorded[$name]:+,}$each
  done
}

# NAME=value, a line each, of what there is to remember; whom people let in comes last (make_job).
record_variables() {
  local name
  for name in GRANTED_DATASETS GRANTED_SECRETS GRANTED_PROJECTS GRANTED_INSTANCES GRANTED_SERVICES PORTAL_DIRECT \
    GRANTED_PEOPLE; do
    [[ -z ${recorded[$name]} ]] || printf '%s=%s\n' "$name" "${recorded[$name]}"
  done
}

# Every grant that is no part of something that destroy deletes.
remove_grants() {
  local each
  local -a places
  turn_out_people
  remove_project_grants
  IFS=, read -ra places <<<"${recorded[GRANTED_DATASETS]}"
  for each in "${places[@]}"; do disallow_dataset "${each%.*}" "${each##*.}"; done
  IFS=, read -ra places <<<"${recorded[GRANTED_SECRETS]}"
  for each in "${places[@]}"; do
    ! has_line "$(look secrets list '--format=value(name.basename())')" "$each" || disallow secrets "$each"
  done
  IFS=, read -ra places <<<"${recorded[GRANTED_SERVICES]}"
  for each in "${places[@]}"; do
    ! has_line "$(look run services list "--region=${setting[REGION]}" '--format=value(metadata.name)')" "$each" ||
      disallow 'run services' "$each" "--region=${setting[REGION]}"
  done
  revoke_rights
  IFS=, read -ra places <<<"${recorded[GRANTED_INSTANCES]}"
  for each in "${places[@]}"; do remove_users "${each%%:*}" "${each##*:}"; done
}

# A plan, which sees no policy, has the grants that its settings mean.
remove_project_grants() {
  local component role project condition
  local -a places
  if [[ -n $dry_run ]]; then
    while read -r component role project condition; do
      change projects remove-iam-policy-binding "$project" "--member=$(member_of "$component")" "--role=$role" \
        "$("${condition}_condition" "${setting[CLOUD_SQL_INSTANCE]}")"
    done < <(project_grants)
    return
  fi
  IFS=, read -ra places <<<"${recorded[GRANTED_PROJECTS]}"
  for project in "${places[@]}"; do disallow projects "$project"; done
}

# All that our identities may do with one resource, under whichever condition: disallow 'pubsub topics' NAME [FLAG…].
disallow() {
  local kind=$1 name=$2 role member _ taken='' ours
  shift 2
  ours=" ${components[*]/#/serviceAccount:${setting[IDENTITY_PREFIX]}-} "
  read_policy "$kind" "$name" "$@"
  while IFS='|' read -r role member _; do
    [[ $member == *"@${setting[PROJECT]}.iam.gserviceaccount.com" && $ours == *" ${member%%@*} "* ]] || continue
    ! has_line "$taken" "$role|$member" || continue
    remove_binding "$member" "$role" "$kind" "$name" "$@"
    taken+=$'\n'"$role|$member"
  done <<<"${policies[$kind/$name]}"
  unset "policies[$kind/$name]"
}

# The reverse of `allow`: under whichever condition, unless a flag names one. What knows no conditions has no --all.
remove_binding() {
  local member=$1 role=$2 kind=$3 name=$4
  shift 4
  local -a words all=(--all)
  case "$kind $*" in pubsub* | 'run jobs'* | *--condition=*) all=() ;; esac
  read -ra words <<<"$kind"
  change "${words[@]}" remove-iam-policy-binding ${name:+"$name"} "$@" "--member=$member" "--role=$role" "${all[@]}"
}

# PostgreSQL keeps a user that still has rights on tables, which are their owner's to take: with POSTGRES_OWNER it is asked.
remove_users() {
  local project=$1 instance=$2 component name there said
  there=$(look sql users list "--instance=$instance" "--project=$project" '--format=value(name)')
  for component in "${with_database[@]}"; do
    name=$(iam_user_of "$component")
    if [[ -n $dry_run ]]; then
      change sql users delete "$name" "--instance=$instance" "--project=$project" --quiet
    elif has_line "$there" "$name"; then
      if said=$(gcloud sql users delete "$name" "--instance=$instance" "--project=$project" --quiet 2>&1 </dev/null); then
        changes=$((changes + 1))
        say "+ gcloud sql users delete $name --instance=$instance --project=$project --quiet"
      else
        say "$name stays a user of $instance: $said"
        say "Its rights are the tables' owner's to take: destroy again with POSTGRES_OWNER, POSTGRES_DB and" \
          "CLOUD_SQL_INSTANCE; or python -m sql revoke $name as that owner, and then" \
          "gcloud sql users delete $name --instance=$instance --project=$project"
      fi
    fi
  done
}
