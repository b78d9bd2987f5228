# shellcheck shell=bash
# Who is told of what, and the dashboard. Policies and dashboard are JSON in monitoring/; a label on each tells which
# version it is, so that what people tune by hand stays until that file changes.

alerts=(failures oldest-due dead-letters no-dispatch no-sweep)
alerts_there=''

make_monitoring() {
  local alert channels
  make_metrics
  make_channels
  channels=$(channel_names)
  alerts_there=$(look alpha monitoring policies list \
    '--format=value[separator="|"](displayName,userLabels.digest,name,notificationChannels.list())')
  for alert in "${alerts[@]}"; do
    [[ $alert != no-dispatch ]] || can_miss_dispatch || continue
    make_alert "$alert" "$channels"
  done
  make_dashboard
}

make_channels() {
  local there email=${setting[ALERT_EMAIL]} slack=${setting[ALERT_SLACK_CHANNEL]} content
  there=$(look beta monitoring channels list '--format=value[separator="|"](type,userLabels.app,labels.email_address,labels.channel_name)')
  [[ -z $email ]] || has_line "$there" "email|${our_labels#*=}|$email|" ||
    change beta monitoring channels create --type=email "--display-name=Sheet to BigQuery: $email" \
      "--channel-labels=email_address=$email" "--user-labels=$our_labels"
  [[ -n $slack ]] || return 0
  ! has_line "$there" "slack|${our_labels#*=}||$slack" || return 0
  content='{"type": "slack", "displayName": "Sheet to BigQuery: %s", "userLabels": {"app": "%s"},'
  content+=' "labels": {"channel_name": "%s", "auth_token": "%s"}}'
  # shellcheck disable=SC2059,SC2016  # the format is two lines above, and the token's place keeps its name
  content=$(printf "$content" "$slack" "${our_labels#*=}" "$slack" '$slack_accessToken')
  change_from_template "$content" slack_accessToken beta monitoring channels create --channel-content-from-file=-
}

# The channels' resource names, a line each. gcloud hands these filters on to Google, whose syntax wants values quoted.
channel_names() {
  local ours="userLabels.app=\"${our_labels#*=}\" AND" name_only="--format=value(name)"
  [[ -z ${setting[ALERT_CHANNELS]} ]] || printf '%s\n' "${setting[ALERT_CHANNELS]//,/$'\n'}"
  [[ -z ${setting[ALERT_EMAIL]} ]] || printf '%s\n' \
    "$(ask beta monitoring channels list "--filter=$ours labels.email_address=\"${setting[ALERT_EMAIL]}\"" "$name_only" --limit=1)"
  [[ -z ${setting[ALERT_SLACK_CHANNEL]} ]] || printf '%s\n' \
    "$(ask beta monitoring channels list "--filter=$ours labels.channel_name=\"${setting[ALERT_SLACK_CHANNEL]}\"" "$name_only" --limit=1)"
}

# A policy of its own for each alert. One that is there keeps the channels that people added, and gets those that are new.
make_alert() {
  local alert=$1 channels=$2 text mark line name title known channel
  text=$(filled "deploy/monitoring/$alert.json")
  mark=$(digest "$text")
  text=${text//@DIGEST@/"$mark"}
  title=$(title_of "$text")
  line=$(line_of "$alerts_there" "$title")
  if [[ -z $line ]]; then
    change_from "${text//\"@CHANNELS@\"/"$(quoted_list "$channels")"}" alpha monitoring policies create --policy-from-file=-
    return
  fi
  name=${line#"$title|"*"|"}
  name=${name%%|*}
  known=${line##*|}
  known=${known//,/$'\n'}
  while IFS= read -r channel; do
    has_line "$known" "$channel" || known+=${known:+$'\n'}$channel
  done <<<"$channels"
  [[ $line == "$title|$mark|$name|${known//$'\n'/,}" ]] ||
    change_from "${text//\"@CHANNELS@\"/"$(quoted_list "$known")"}" alpha monitoring policies update "$name" --policy-from-file=-
}

make_dashboard() {
  local text mark line title
  text=$(filled deploy/monitoring/dashboard.json)
  mark=$(digest "$text")
  text=${text//@DIGEST@/"$mark"}
  title=$(title_of "$text")
  # Google keeps a dashboard's labels as keys without values.
  line=$(look monitoring dashboards list '--format=value[separator="|"](displayName,name,labels)')
  line=$(line_of "$line" "$title")
  if [[ -z $line ]]; then
    change_from "$text" monitoring dashboards create --config-from-file=-
  elif [[ $line != *"digest-$mark"* ]]; then
    line=${line#*|}
    change_from "$text" monitoring dashboards update "${line%%|*}" --config-from-file=-
  fi
}

# A file with its @NAMES@ filled in, on one line.
filled() {
  local text name
  text=$(<"$1")
  text=${text//$'\n'/ }
  while [[ $text == *'  '* ]]; do text=${text//'  '/ }; done
  for name in PROJECT JOB_NAME DEAD_LETTER_TOPIC FAILURE_METRIC SUCCESS_METRIC; do
    text=${text//@$name@/"${setting[$name]}"}
  done
  text=${text//@OLDEST_DUE_SECONDS@/$((setting[OLDEST_DUE_MINUTES] * 60))}
  text=${text//@NO_DISPATCH_SECONDS@/"$(no_dispatch_seconds)"}
  printf %s "$text"
}

title_of() {
  local rest=${1#*\"displayName\": \"}
  printf %s "${rest%%\"*}"
}

quoted_list() {
  local list=${1//$'\n'/\", \"}
  [[ -z $1 ]] || printf '"%s"' "$list"
}

# Google waits 23.5 hours at most for what is absent: it would miss a daily dispatch every day.
can_miss_dispatch() {
  (($(dispatch_every_minutes) * 60 < 84600)) ||
    { say 'No alert about a missing dispatch: it comes less often than every 23.5 hours' && return 1; }
}

# Twice the schedule's interval, two minutes at least, and 23.5 hours at most.
no_dispatch_seconds() {
  local seconds=$(($(dispatch_every_minutes) * 120))
  ((seconds >= 120)) || seconds=120
  ((seconds <= 84600)) || seconds=84600
  printf %s "$seconds"
}

dispatch_every_minutes() {
  local schedule=${setting[SCHEDULE]}
  if [[ -n ${setting[DISPATCH_EVERY_MINUTES]} ]]; then
    printf %s "${setting[DISPATCH_EVERY_MINUTES]}"
  elif [[ $schedule == '* * * * *' ]]; then
    printf 1
  elif [[ $schedule =~ ^\*/([0-9]+)\ \*\ \*\ \*\ \*$ ]]; then
    printf %s "${BASH_REMATCH[1]}"
  elif [[ $schedule =~ ^[0-9]+\ \*\ \*\ \*\ \*$ ]]; then
    printf 60
  elif [[ $schedule =~ ^[0-9]+\ \*/([0-9]+)\ \*\ \*\ \*$ ]]; then
    printf %s $((BASH_REMATCH[1] * 60))
  else
    fail "SCHEDULE=$schedule: say how often that comes, as DISPATCH_EVERY_MINUTES: the alert about a missing dispatch needs it"
  fi
}
