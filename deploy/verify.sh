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
    dataset=${dataset:-${setting[PROJECT]}.your_dataset}
    say "Share the sheet with $(email_of job) as Viewer, if it is not."
    run_python "${settings[@]}" job_helper.py add "$sheet" --name "$canary" --project "${dataset%.*}" \
      --dataset "${dataset##*.}" --table "$canary" --frequency 0
  fi
  run_python "${settings[@]}" job_helper.py doctor "$canary"
  # It fails if the run does, and tells why; it waits for a run that is queued.
  run_python "${settings[@]}" job_helper.py run "$canary"
  keep_ended_entries "$after"
  check_settling
  check_console
}

# The console answers who may see it, and nobody else. What stands behind IAP is opened by a browser alone.
check_console() {
  local url token code
  [[ -z $dry_run ]] && has_console || return 0
  has_line "$(look functions list --v2 "--regions=${setting[REGION]}" '--format=value(name.basename())')" \
    "${setting[CONSOLE_FUNCTION]}" || { say 'Not looked at: the console, which is not deployed' && return; }
  url=$(url_of "${setting[CONSOLE_FUNCTION]}")
  code=$(call_console "$url" '')
  case $code in
    401 | 403) ;;
    302) is_behind_iap || fail "the console sends strangers elsewhere, although CONSOLE_ACCESS is iam: deploy again" ;;
    *) fail "the console answers $code to somebody whom nobody knows: deploy again, and look who may call it" \
      "(gcloud run services get-iam-policy ${setting[CONSOLE_FUNCTION]} --region=${setting[REGION]})" ;;
  esac
  if is_behind_iap; then say "The console lets no stranger in; open it in a browser: $url" && return; fi
  token=$(gcloud auth print-identity-token '--format=value(id_token)' 2>/dev/null </dev/null) || token=''
  code=$(call_console "$url" "$token")
  case $code in
    200) say 'The console lets no stranger in, and shows you its overview' ;;
    401 | 403) say 'The console lets no stranger in, nor you: to see it, ./deploy.sh … viewer user:YOU, and verify again' ;;
    *) stopped "curl $url/overview.json" "the console answers $code: gcloud functions logs read ${setting[CONSOLE_FUNCTION]}" \
      "--region=${setting[REGION]} --project=${setting[PROJECT]} tells why" ;;
  esac
}

# The code alone. The token goes by standard input, where no list of processes has it.
call_console() {
  local url=$1/overview.json token=$2 said
  said=$(printf %s "${token:+Authorization: Bearer $token}" | curl --silent --show-error --max-time 60 --header @- \
    --output /dev/null --write-out '%{http_code}' "$url" 2>&1) || stopped "curl $url" "$said"
  printf %s "$said"
}

# Settling sees and ends executions as dispatch and as complete. Whether a role on the job holds for its executions is
# not documented: so Cloud Run is asked, by the calls that settling makes. The one that is cancelled has ended already.
check_settling() {
  local component email token job execution
  job=projects/${setting[PROJECT]}/locations/${setting[REGION]}/jobs/${setting[JOB_NAME]}
  [[ -z $dry_run ]] || return 0
  for component in dispatch complete; do
    email=$(email_of "$component")
    if ! token=$(gcloud auth print-access-token "--impersonate-service-account=$email" '--format=value(token)' 2>/dev/null </dev/null); then
      say "Not looked at: whether $component may see and end executions. To look, let your account be it for a while" \
        "(gcloud iam service-accounts add-iam-policy-binding $email --member=user:YOU" \
        "--role=roles/iam.serviceAccountTokenCreator --project=${setting[PROJECT]}), and verify again"
      continue
    fi
    execution=$(call_run "$component" run.executions.list "$token" GET "$job/executions?pageSize=1")
    [[ $execution =~ \"name\":[[:space:]]*\"([^\"]+/executions/[^\"]+)\" ]] ||
      fail "the run succeeded, but $job has no execution: was it the local system's?"
    execution=${BASH_REMATCH[1]}
    call_run "$component" run.executions.get "$token" GET "$execution" >/dev/null
    call_run "$component" run.executions.cancel "$token" POST "$execution:cancel" >/dev/null
    say "$component may list, see and end executions"
  done
}

# Cloud Run's answer to one call; the token goes by standard input, where no list of processes has it.
call_run() {
  local component=$1 permission=$2 token=$3 method=$4 path=$5 answer
  answer=$(printf 'Authorization: Bearer %s' "$token" | curl --silent --show-error --max-time 60 --header @- \
    --header 'Content-Length: 0' --write-out '\n%{http_code}' -X "$method" "https://run.googleapis.com/v2/$path" 2>&1) ||
    stopped "curl https://run.googleapis.com/v2/$path" "$answer"
  case ${answer##*$'\n'} in
    # What has ended is not cancelled: that answer comes after the question whether one may.
    200 | 400 | 409) printf %s "$answer" ;;
    403) stopped "$permission as $(email_of "$component")" \
      "Cloud Run refuses it: the role on the job does not hold for its executions. Give --executions-grant=project" ;;
    *) stopped "curl https://run.googleapis.com/v2/$path" "$answer" ;;
  esac
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
