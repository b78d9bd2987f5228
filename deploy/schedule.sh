# shellcheck shell=bash
# Cloud Scheduler's two jobs: dispatch by its schedule, and its sweep every minute.

schedule_format='value[separator="|"](name.basename(),schedule,timeZone,attemptDeadline,httpTarget.uri,httpTarget.oidcToken.serviceAccountEmail,httpTarget.oidcToken.audience)'

make_schedule() {
  allow "$(member_of scheduler)" roles/run.invoker 'run services' "${setting[DISPATCH_FUNCTION]}" \
    "--region=${setting[REGION]}"
  make_scheduler_job "${setting[SCHEDULE_NAME]}" "${setting[SCHEDULE]}" /run
  make_scheduler_job "${setting[SWEEP_SCHEDULE_NAME]}" '* * * * *' /sweep
}

# No retries: the next call makes up for one that failed. A job that is paused stays paused,
# and one that somebody else made stays theirs, which destroy leaves alone.
make_scheduler_job() {
  local name=$1 schedule=$2 url line identity verb
  local -a marked=()
  identity=$(email_of scheduler)
  url=$(url_of "${setting[DISPATCH_FUNCTION]}")
  line=$(look scheduler jobs list "--location=${setting[REGION]}" "--format=$schedule_format")
  line=$(line_of "$line" "$name")
  [[ $line != "$name|$schedule|UTC|180s|$url$3|$identity|$url" ]] || return 0
  if [[ -z $line ]]; then verb=create marked=("--description=$made_by"); else verb=update; fi
  change scheduler jobs "$verb" http "$name" "--location=${setting[REGION]}" "--schedule=$schedule" --time-zone=UTC \
    "--uri=$url$3" --http-method=POST "--oidc-service-account-email=$identity" "--oidc-token-audience=$url" \
    --attempt-deadline=180s --max-retry-attempts=0 "${marked[@]}"
}

# Pausing stops new runs; those in flight go on, and complete settles them.
pause_or_resume() {
  local verb=$1 state=$2 there name
  there=$(look scheduler jobs list "--location=${setting[REGION]}" '--format=value[separator="|"](name.basename(),state)')
  for name in "${setting[SCHEDULE_NAME]}" "${setting[SWEEP_SCHEDULE_NAME]}"; do
    [[ $(line_of "$there" "$name") != "$name|$state" ]] || continue
    change scheduler jobs "$verb" "$name" "--location=${setting[REGION]}"
  done
}
