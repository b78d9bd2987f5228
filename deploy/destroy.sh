# shellcheck shell=bash
# Takes back what deploy.sh made: what bears our names and our mark. Never touched: tables, datasets, the database and
# its instance, configs, the secrets of others, enabled services, and what somebody else made under one of our names.

destroy() {
  local region=--region=${setting[REGION]} location=--location=${setting[REGION]} each
  [[ -n $confirmed || -n $dry_run ]] ||
    fail 'destroy takes the deployment away (tables, configs and the database stay): say so with --yes'
  # Whether there was a portal, or a console, need not be told.
  [[ -n $dry_run ]] || has_portal || { components+=(forward push-forward) && with_database+=(forward); }
  [[ -n $dry_run ]] || has_console || { components+=(console) && with_database+=(console); }
  read_record
  [[ -z $dry_run ]] || say 'Beside this, whom migrator and viewer let in loses what that granted: it stands in the job'"'"'s' \
    'variables (GRANTED_PEOPLE), which a plan does not read'
  leave_portal
  remove_monitoring
  mark_of scheduler jobs list "$location" "--format=$described_format"
  for each in "${setting[SCHEDULE_NAME]}" "${setting[SWEEP_SCHEDULE_NAME]}"; do
    remove "$each" "$made_by" scheduler jobs delete "$each" "$location" --quiet
  done
  mark_of logging sinks list "--format=$described_format"
  remove "${setting[SINK]}" "$made_by" logging sinks delete "${setting[SINK]}" --quiet
  mark_of pubsub subscriptions list "--format=$labelled_format"
  for each in REQUEST_TOPIC COMPLETION_TOPIC DEAD_LETTER_TOPIC; do
    remove "${setting[$each]}" "${our_labels#*=}" pubsub subscriptions delete "${setting[$each]}" --quiet
  done
  if [[ -z $dry_run ]] || has_portal; then
    remove "${setting[FORWARD_SUBSCRIPTION]}" "${our_labels#*=}" pubsub subscriptions delete "${setting[FORWARD_SUBSCRIPTION]}" --quiet
  fi
  # Grants outlive an identity: none is left to a name that may come again. The job, which remembers them, goes later.
  remove_grants
  mark_of functions list --v2 "--regions=${setting[REGION]}" "--format=$labelled_format"
  for each in DISPATCH_FUNCTION LAUNCH_FUNCTION COMPLETE_FUNCTION FORWARD_FUNCTION CONSOLE_FUNCTION; do
    [[ $each != FORWARD_FUNCTION || -z $dry_run ]] || has_portal || continue
    [[ $each != CONSOLE_FUNCTION || -z $dry_run ]] || has_console || continue
    remove "${setting[$each]}" "${our_labels#*=}" functions delete "${setting[$each]}" --gen2 "$region" --quiet
  done
  mark_of run jobs list "$region" '--format=value[separator="|"](metadata.name,metadata.labels.app)'
  remove "${setting[JOB_NAME]}" "${our_labels#*=}" run jobs delete "${setting[JOB_NAME]}" "$region" --quiet
  mark_of artifacts repositories list "$location" "--format=$labelled_format"
  remove "${setting[REPOSITORY]}" "${our_labels#*=}" artifacts repositories delete "${setting[REPOSITORY]}" "$location" --quiet
  mark_of pubsub topics list "--format=$labelled_format"
  for each in REQUEST_TOPIC COMPLETION_TOPIC DEAD_LETTER_TOPIC; do
    remove "${setting[$each]}" "${our_labels#*=}" pubsub topics delete "${setting[$each]}" --quiet
  done
  mark_of secrets list "--format=$labelled_format"
  remove "${setting[PASSWORD_SECRET]}" "${our_labels#*=}" secrets delete "${setting[PASSWORD_SECRET]}" --quiet
  remove_identities
}
labelled_format='value[separator="|"](name.basename(),labels.app)'
described_format='value[separator="|"](name.basename(),description)'
marks=''

# Whose messages forward takes would be heard by nobody: giving them back comes first, and is said, not done.
leave_portal() {
  local line
  [[ -z $dry_run ]] || return 0
  line=$(line_of "$(look pubsub subscriptions list "--format=$direct_format")" "${setting[FORWARD_SUBSCRIPTION]}")
  [[ $line != *'|https://'* ]] ||
    { line=${line#*|} && fail "forward takes the portal's messages, and nobody else would: give them back first" \
      "(./deploy.sh … --portal-topic=${line%%|*} portal --back)"; }
}

# The names and marks of what there is of one kind.
mark_of() { marks=$(look "$@"); }

# One resource, if it is there with its mark; a plan assumes that it is.
remove() {
  local name=$1 mark=$2
  shift 2
  if [[ -n $dry_run ]] || has_line "$marks" "$name|$mark"; then
    change "$@"
  elif [[ -n $(line_of "$marks" "$name") ]]; then
    say "$name stays: it was there before, or is somebody else's"
    disallow_kept "$name" "$@"
  fi
}

# What stays keeps nothing of ours: disallow_kept NAME GROUP… delete NAME FLAG….
disallow_kept() {
  local name=$1 flag kind=''
  local -a flags=()
  shift
  case $1/$2 in
    pubsub/* | run/jobs | artifacts/*) kind="$1 $2" ;;
    functions/*) kind='run services' ;;
    secrets/*) kind=secrets ;;
    *) return 0 ;;
  esac
  for flag; do [[ $flag != --region=* && $flag != --location=* ]] || flags+=("$flag"); done
  disallow "$kind" "$name" "${flags[@]}"
}

remove_monitoring() {
  local alert name ours="userLabels.app=\"${our_labels#*=}\""
  remove_marked "$(title_of "$(filled deploy/monitoring/dashboard.json)")" "labels:app-${our_labels#*=}" \
    'labels.list()' monitoring dashboards
  for alert in "${alerts[@]}"; do
    remove_marked "$(title_of "$(<"deploy/monitoring/$alert.json")")" "$ours AND userLabels.alert=\"$alert\"" \
      userLabels.app alpha monitoring policies
  done
  remove_channels "$ours"
  describe_metrics
  mark_of logging metrics list "--format=$described_format"
  for name in "${!metric_description[@]}"; do
    remove "$name" "${metric_description[$name]}" logging metrics delete "$name" --quiet
  done
}

# All that bear our label, whatever addresses this call was told; a plan knows no others.
remove_channels() {
  local ours=$1 name
  if [[ -z $dry_run ]]; then
    while IFS= read -r name; do
      [[ -z $name ]] || change beta monitoring channels delete "$name" --quiet
    done < <(look beta monitoring channels list "--filter=$ours" '--format=value(name)')
    return
  fi
  for name in email_address="${setting[ALERT_EMAIL]}" channel_name="${setting[ALERT_SLACK_CHANNEL]}"; do
    [[ -z ${name#*=} ]] || remove_marked "Sheet to BigQuery: ${name#*=}" "$ours AND labels.${name%%=*}=\"${name#*=}\"" \
      userLabels.app beta monitoring channels
  done
}

# Something that Google named: found by its title, and ours by a label; a plan asks for it by its labels.
remove_marked() {
  local title=$1 filter=$2 label=$3 line
  shift 3
  if [[ -n $dry_run ]]; then
    change "$@" delete "$(ask "$@" list "--filter=$filter" '--format=value(name)')" --quiet
    return
  fi
  line=$(line_of "$(look "$@" list "--format=value[separator=\"|\"](displayName,name,$label)")" "$title")
  [[ $line == *"${our_labels#*=}"* ]] || return 0
  line=${line#"$title|"}
  change "$@" delete "${line%%|*}" --quiet
}

remove_identities() {
  local component each
  local -a projects
  mark_of iam service-accounts list '--format=value[separator="|"](email,description)'
  for component in "${components[@]}"; do
    remove "$(email_of "$component")" "$made_by" iam service-accounts delete "$(email_of "$component")" --quiet
  done
  remove_role "${setting[ROLE_PREFIX]}.executions" "${setting[PROJECT]}"
  [[ -n $dry_run ]] || remove_role "${setting[ROLE_PREFIX]}.migration" "${setting[PROJECT]}"
  IFS=, read -ra projects <<<"${recorded[GRANTED_PROJECTS]}"
  [[ -z $dry_run ]] || projects=("$(bigquery_project)")
  for each in "${projects[@]}"; do remove_role "${setting[ROLE_PREFIX]}.loads" "$each"; done
}

remove_role() {
  [[ -n $dry_run ]] || marks=$(look iam roles list "--project=$2" '--format=value[separator="|"](name.basename(),description)')
  remove "$1" "$made_by" iam roles delete "$1" "--project=$2" --quiet
}
