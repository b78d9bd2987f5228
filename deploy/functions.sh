# shellcheck shell=bash
# The functions: staged, then deployed from their staged folders.

functions=(dispatch launch complete forward console)
# Those that log in to the database.
with_database=(dispatch launch complete)
functions_there=''
functions_format='value[separator="|"](name.basename(),state,labels.digest,serviceConfig.serviceAccountEmail,serviceConfig.ingressSettings,serviceConfig.maxInstanceCount,serviceConfig.maxInstanceRequestConcurrency)'

# One function's source folder: its main.py, the requirements, the package that the functions share, and the one of its
# own name where there is one.
# gcloud drops symbolic links to folders from what it uploads: these are copies.
stage_function() {
  local name=$1 fresh
  [[ -f $root/functions/$name/main.py ]] || fail "there is no function '$name'; there are: ${functions[*]}"
  mkdir -p "$build"
  fresh=$(mktemp -d "$build/.$name.XXXXXX")
  cp "$root/functions/$name/main.py" "$root/requirements.txt" "$fresh/"
  cp -R "$root/shared" "$fresh/shared"
  [[ ! -d $root/$name ]] || cp -R "$root/$name" "$fresh/$name"
  find "$fresh" -name __pycache__ -prune -exec rm -rf {} +
  chmod 755 "$fresh"
  # Whole or not at all: a failed stage leaves the former one.
  rm -rf "${build:?}/$name"
  mv "$fresh" "$build/$name"
}

stage() {
  local name
  if [[ $# -eq 0 ]]; then set -- "${functions[@]}"; fi
  for name; do stage_function "$name"; done
  printf 'Staged in %s: %s\n' "$build" "$*"
}

deploy_functions() {
  functions_there=$(look functions list --v2 "--regions=${setting[REGION]}" "--format=$functions_format")
  # dispatch stays for a sweep (40 s, and a settling or two), but less than Scheduler waits for it; the others answer
  # before Pub/Sub's two minutes are over, or it would push again meanwhile.
  deploy_function dispatch "${setting[DISPATCH_FUNCTION]}" "${setting[DISPATCH_INSTANCES]}" 150s
  deploy_function launch "${setting[LAUNCH_FUNCTION]}" "${setting[LAUNCH_INSTANCES]}" 110s
  deploy_function complete "${setting[COMPLETE_FUNCTION]}" "${setting[COMPLETE_INSTANCES]}" 110s
  # The older service may take nine of the ten minutes that Pub/Sub waits for forward.
  ! has_portal || deploy_function forward "${setting[FORWARD_FUNCTION]}" "${setting[FORWARD_INSTANCES]}" 590s
  ! has_console || deploy_console
}

# Always named by --source and --entry-point: without them gcloud takes the job's main.py, and its own check passes.
# Internal, but for the console: Scheduler's and Pub/Sub's calls of a run.app address count as internal within a project;
# no other does.
# All are HTTP functions to Google: their subscriptions are ours, with their own deadlines and dead letters.
deploy_function() {
  local name=$1 function=$2 instances=$3 timeout=$4 ingress=${5:-internal-only} mark line identity shown
  local -a flags sources=("functions/$1/main.py" requirements.txt shared)
  identity=$(email_of "$name")
  flags=(
    --gen2 "--region=${setting[REGION]}" --runtime=python311 "--entry-point=$name" --trigger-http
    --no-allow-unauthenticated "--ingress-settings=$ingress" "--service-account=$identity"
    "--build-service-account=projects/${setting[PROJECT]}/serviceAccounts/$(email_of build)"
    "--docker-repository=projects/${setting[PROJECT]}/locations/${setting[REGION]}/repositories/${setting[REPOSITORY]}"
    --memory=512Mi --cpu=1 "--timeout=$timeout" "--max-instances=$instances" "--concurrency=${setting[CONCURRENCY]}"
    "--set-env-vars=^|^$(function_environment "$name")" "$(function_secrets "$name")"
  )
  [[ -z ${setting[VPC_CONNECTOR]} ]] ||
    flags+=("--vpc-connector=${setting[VPC_CONNECTOR]}" --egress-settings=private-ranges-only)
  [[ ! -d $name ]] || sources+=("$name")
  mark=$(digest "${flags[@]}" "$(digest_of_files "${sources[@]}")")
  line=$(line_of "$functions_there" "$function")
  shown=ALLOW_${ingress^^} && shown=${shown//-/_}
  [[ $line != "$function|ACTIVE|$mark|$identity|$shown|$instances|${setting[CONCURRENCY]}" ]] || return 0
  [[ -n $dry_run ]] || stage_function "$name"
  change functions deploy "$function" "--source=$shown_build/$name" "${flags[@]}" \
    "--update-labels=$our_labels,digest=$mark" --quiet
}

# NAME=value with | between: no setting has a | in it.
function_environment() {
  local name each
  local -a pairs=("GOOGLE_CLOUD_PROJECT=${setting[PROJECT]}")
  for each in REGION JOB_NAME REQUEST_TOPIC COMPLETION_TOPIC CONFIGS_TABLE POSTGRES_DB; do
    pairs+=("$each=${setting[$each]}")
  done
  if [[ -n ${setting[CLOUD_SQL_INSTANCE]} ]]; then
    pairs+=("CLOUD_SQL_INSTANCE=${setting[CLOUD_SQL_INSTANCE]}" "POSTGRES_USER=$(role_of "$1")")
  else
    for each in POSTGRES_HOST POSTGRES_PORT POSTGRES_USER POSTGRES_SSLMODE; do pairs+=("$each=${setting[$each]}"); done
  fi
  for each in "${product_settings[@]}"; do
    [[ -z ${setting[$each]} ]] || pairs+=("$each=${setting[$each]}")
  done
  if [[ $1 == forward ]]; then
    pairs+=("PORTAL_TOPIC=${setting[PORTAL_TOPIC]}" "SERVICE_URL=$(service_url)")
    [[ -z ${setting[SERVICE_TIMEOUT_SECONDS]} ]] || pairs+=("SERVICE_TIMEOUT_SECONDS=${setting[SERVICE_TIMEOUT_SECONDS]}")
  fi
  if [[ $1 == console ]]; then
    ! is_behind_iap || pairs+=("CONSOLE_AUDIENCE=$(console_audience)")
    for each in CONSOLE_EDITORS MIGRATION_MATCHES; do
      [[ -z ${setting[$each]} ]] || pairs+=("$each=${setting[$each]}")
    done
    each=$(share_with)
    [[ -z $each ]] || pairs+=("SHARE_WITH=$each")
  fi
  name=$(IFS='|' && printf %s "${pairs[*]}")
  printf %s "$name"
}

# Which PostgreSQL role a function is: its identity's own with IAM, else the one that was given.
role_of() { if uses_password; then printf %s "${setting[POSTGRES_USER]}"; else iam_user_of "$1"; fi; }

iam_user_of() {
  local email
  email=$(email_of "$1")
  printf %s "${email%.gserviceaccount.com}"
}

function_secrets() {
  local -a pairs=()
  ! uses_password || pairs+=("POSTGRES_PASSWORD=${setting[PASSWORD_SECRET]}:latest")
  if [[ $1 == dispatch ]]; then
    [[ -z ${setting[SLACK_SECRET]} ]] || pairs+=("slack_accessToken=${setting[SLACK_SECRET]}:latest")
    [[ -z ${setting[WEBHOOK_SECRET]} ]] || pairs+=("NOTIFY_WEBHOOK_URL=${setting[WEBHOOK_SECRET]}:latest")
  fi
  if [[ ${#pairs[@]} -eq 0 ]]; then printf %s --clear-secrets; else (IFS=, && printf %s "--set-secrets=${pairs[*]}"); fi
}

# Where a function is called: its run.app address, which internal callers have to use.
url_of() { ask functions describe "$1" --gen2 "--region=${setting[REGION]}" '--format=value(serviceConfig.uri)'; }
