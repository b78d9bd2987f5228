# shellcheck shell=bash
# Where something was granted that outlives what destroy deletes: kept in the job's own variables, so that destroy finds
# it without the flags of that day. What was ever granted stays in them: a dataset that is named no more has its grant.

declare -A recorded=(
  [GRANTED_DATASETS]='' [GRANTED_SECRETS]='' [GRANTED_PROJECTS]='' [GRANTED_INSTANCES]='' [GRANTED_SERVICES]=''
  [PORTAL_DIRECT]=''
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

# NAME=value, a line each, of what there is to remember.
record_variables() {
  local name
  for name in GRANTED_DATASETS GRANTED_SECRETS GRANTED_PROJECTS GRANTED_INSTANCES GRANTED_SERVICES PORTAL_DIRECT; do
    [[ -z ${recorded[$name]} ]] || printf '%s=%s\n' "$name" "${recorded[$name]}"
  done
}

# Every grant that is no part of something that destroy deletes.
remove_grants() {
  local each
  local -a places
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
        "$("${condition}_condition")"
    done < <(project_grants)
    return
  fi
  IFS=, read -ra places <<<"${recorded[GRANTED_PROJECTS]}"
  for project in "${places[@]}"; do disallow projects "$project"; done
}

# All that our identities may do with one resource, under whichever condition: disallow 'pubsub topics' NAME [FLAG…].
disallow() {
  local kind=$1 name=$2 role member _ taken='' ours
  local -a words
  shift 2
  ours=" ${components[*]/#/serviceAccount:${setting[IDENTITY_PREFIX]}-} "
  read_policy "$kind" "$name" "$@"
  read -ra words <<<"$kind"
  while IFS='|' read -r role member _; do
    [[ $member == *"@${setting[PROJECT]}.iam.gserviceaccount.com" && $ours == *" ${member%%@*} "* ]] || continue
    ! has_line "$taken" "$role|$member" || continue
    change "${words[@]}" remove-iam-policy-binding "$name" "$@" "--member=$member" "--role=$role" --all
    taken+=$'\n'"$role|$member"
  done <<<"${policies[$kind/$name]}"
  unset "policies[$kind/$name]"
}

# PostgreSQL keeps a user that still has rights on tables, which are not ours to take: then it says how they are taken.
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
        say "Take its rights, as the tables' owner: REVOKE ALL ON ALL TABLES IN SCHEMA public FROM \"$name\"; then" \
          "gcloud sql users delete $name --instance=$instance --project=$project"
      fi
    fi
  done
}
