# shellcheck shell=bash
# A canary through the real project: a config of its own, one run by hand, and what Google really sent when it ended.

canary=sheet_to_bigquery_canary
fixtures=build/execution-ended

# The sheet is a person's to share: --sheet=URL names it at the first time. Manual only, so that no schedule runs it.
verify() {
  local sheet=$1 dataset=${setting[DATASETS]%%[, ]*} after
  local -a settings
  settings=("GOOGLE_CLOUD_PROJECT=${setting[PROJECT]}" "REGION=${setting[REGION]}" "JOB_NAME=${setting[JOB_NAME]}"
    "COMPLETION_TOPIC=${setting[COMPLETION_TOPIC]}" "REQUEST_TOPIC=${setting[REQUEST_TOPIC]}" "POSTGRES_DB=${setting[POSTGRES_DB]}" "CONFIGS_TABLE=${setting[CONFIGS_TABLE]}"
    "POSTGRES_USER=${setting[POSTGRES_OWNER]:-${setting[POSTGRES_USER]:-your-username}}" "${database_place[@]}")
  after=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  export POSTGRES_PASSWORD
  POSTGRES_PASSWORD=${POSTGRES_OWNER_PASSWORD:-$(known_password)}
  if [[ -n $sheet ]]; then
    [[ -n $dataset || -n $dry_run ]] || fail 'verify --sheet=… needs a dataset for its table: --datasets=project.dataset'
    dataset=${dataset:-${setting[PROJECT]}.your_dataset}
    say "Share the sheet with $(email_of job) as Viewer, if it is not."
    run_python "${settings[@]}" job_helper.py add "$sheet" --name "$canary" --project "${dataset%.*}" \
      --dataset "${dataset##*.}" --table "$canary" --frequency 0
  fi
  run_python "${settings[@]}" job_helper.py doctor "$canary"
  # It fails if the run does, and tells why; it waits for a run that is queued.
  run_python "${settings[@]}" job_helper.py run "$canary"
  keep_ended_entries "$after"
}

# What complete will hear one day is what it heard today: the entries are kept as they came.
keep_ended_entries() {
  local after=$1 entries
  [[ -z $dry_run ]] || after=2000-01-01T00:00:00Z
  if [[ -n $dry_run ]]; then
    printf '%s > %s\n' "$(as_line gcloud logging read "$(ended_filter) AND timestamp>=\"$after\"" --format=json --limit=20 \
      "--project=${setting[PROJECT]}")" "$fixtures/AFTER.json"
    return
  fi
  entries=$(ask logging read "$(ended_filter) AND timestamp>=\"$after\"" --format=json --limit=20)
  [[ -n $entries && $entries != '[]' ]] ||
    fail 'the run succeeded, but Cloud Logging has no entry of its execution'"'"'s end: it can come late; verify again'
  mkdir -p "$fixtures"
  printf '%s\n' "$entries" >"$fixtures/$after.json"
  say "What Cloud Logging told of the end is kept in $fixtures/$after.json"
}
