# shellcheck shell=bash
# What can be known before the first change: tools, login, project, billing, region, secrets.

# The project's number, by which Google names its own identities, and where gcloud says what went wrong.
project_number='' errors=''

check_project() {
  local tool found state
  if [[ -n $dry_run ]]; then
    project_number=$(ask projects describe "${setting[PROJECT]}" '--format=value(projectNumber)')
    return
  fi
  errors=$(mktemp)
  trap 'rm -f "$errors"' EXIT
  for tool in gcloud bq sha256sum; do
    command -v "$tool" >/dev/null || fail "$tool is missing: install the Google Cloud CLI (https://cloud.google.com/sdk)"
  done
  gcloud auth print-access-token >/dev/null 2>&1 </dev/null ||
    fail 'gcloud has no usable login: run gcloud auth login, then deploy.sh again'
  found=$(gcloud projects describe "${setting[PROJECT]}" '--format=value[separator="|"](projectNumber,lifecycleState)' \
    2>/dev/null </dev/null) || found=''
  project_number=${found%%|*} state=${found#*|}
  [[ $state == ACTIVE ]] ||
    fail "--project=${setting[PROJECT]}: there is no such project, or your account may not see it (${state:-not found});" \
      'gcloud projects list tells which there are'
  # Who may not see the billing account may deploy all the same: only a clear no stops.
  [[ $(gcloud billing projects describe "${setting[PROJECT]}" '--format=value(billingEnabled)' 2>/dev/null \
    </dev/null) != False ]] ||
    fail "billing is off: gcloud billing projects link ${setting[PROJECT]} --billing-account=…"
  read_apis
  check_region
  check_secrets
  # Whoever may not read the project's policy could not grant anything in the end.
  read_policy projects "${setting[PROJECT]}"
}

# Cloud Run tells its regions once it is enabled: before the first change if it is, else right after that one.
check_region() {
  local regions
  [[ -z $dry_run ]] && is_enabled run || return 0
  regions=$(ask run regions list '--format=value(locationId)')
  has_line "$regions" "${setting[REGION]}" ||
    fail "--region=${setting[REGION]}: Cloud Run is not there; it is in" "${regions//$'\n'/ }"
}

# Secrets of the caller must be there already.
check_secrets() {
  local there name
  there=$(look secrets list '--format=value(name.basename())')
  for name in LEGACY_KEY_SECRET SLACK_SECRET WEBHOOK_SECRET; do
    [[ -z ${setting[$name]} ]] || has_line "$there" "${setting[$name]}" ||
      fail "$name=${setting[$name]}: Secret Manager has no such secret in ${setting[PROJECT]};" \
        "make it: gcloud secrets create ${setting[$name]} --data-file=FILE --project=${setting[PROJECT]}"
  done
  [[ -n $needs_database ]] && uses_password || return 0
  has_line "$there" "${setting[PASSWORD_SECRET]}" || [[ -n ${POSTGRES_PASSWORD:-} ]] ||
    fail "the database's password is nowhere: give it once in the environment, as POSTGRES_PASSWORD;" \
      "it goes into the secret ${setting[PASSWORD_SECRET]}"
}

# What a command needs beyond the project, as far as it can be seen before it changes anything.
check_command() {
  [[ -z $dry_run ]] || return 0
  case $1 in everything | functions) check_services && check_portal ;; portal) check_portal ;; esac
  case $1 in everything | database) check_instance ;; esac
  case $1 in
    everything | database) [[ ${setting[MIGRATE]} != yes ]] || check_packages 'msgspec pg8000' ;;
    destroy) ! can_revoke || check_packages 'msgspec pg8000' ;;
    verify) check_packages 'msgspec pg8000 google.cloud.run_v2 google.cloud.bigquery google.pubsub_v1 googleapiclient' ;;
  esac
  case $1 in everything | functions) check_product_settings ;; verify) check_canary ;; esac
}

# A function's name is its Cloud Run service's: a deployment would put itself in the place of one that is no function.
check_services() {
  local services there name
  services=$(look run services list "--region=${setting[REGION]}" '--format=value(metadata.name)')
  there=$(look functions list --v2 "--regions=${setting[REGION]}" '--format=value(name.basename())')
  for name in DISPATCH_FUNCTION LAUNCH_FUNCTION COMPLETE_FUNCTION FORWARD_FUNCTION CONSOLE_FUNCTION; do
    ! has_line "$services" "${setting[$name]}" || has_line "$there" "${setting[$name]}" ||
      fail "$name=${setting[$name]}: a Cloud Run service of that name is there that is no function;" \
        "give another name (--$(flag_of "$name")=…), or delete the service if nobody needs it"
  done
}

check_packages() {
  local missing
  [[ -z ${setting[CLOUD_SQL_INSTANCE]} ]] || set -- "$1 google.cloud.sql.connector"
  missing=$("$(python_here)" - "$1" 2>&1 <<<'import importlib, sys
for name in sys.argv[1].split():
    importlib.import_module(name)') ||
    fail "python3 here lacks what the product's commands need (${missing##*$'\n'}):" \
      'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt'
}

# The product's own parser judges what the functions would be given: they cannot fail on it when they start.
check_product_settings() {
  local said code=0
  local -a pairs
  IFS='|' read -ra pairs <<<"$(function_environment "${with_database[-1]}")"
  said=$(env -i "PATH=$PATH" "${pairs[@]}" "$(python_here)" -c 'import os, sys
try:
    from shared.errors import InvalidSettings
    from shared.settings import read_deployment
except ImportError:
    sys.exit(3)
try:
    read_deployment(os.environ)
except InvalidSettings as error:
    sys.exit(str(error))' 2>&1 </dev/null) || code=$?
  case $code in
    0) ;;
    3) say 'The functions'"'"' settings were not looked at: python3 here lacks the packages of requirements.txt' ;;
    *) fail "$said" ;;
  esac
}

# What a canary needs is deployed already.
check_canary() {
  [[ -z $sheet || -n ${setting[DATASETS]} ]] ||
    fail 'verify --sheet=… needs a dataset for its table: --datasets=project.dataset'
  has_line "$(look run jobs list "--region=${setting[REGION]}" '--format=value(metadata.name)')" "${setting[JOB_NAME]}" ||
    fail "there is no job ${setting[JOB_NAME]} in ${setting[REGION]}: deploy before you verify"
  has_line "$(look pubsub subscriptions list '--format=value(name.basename())')" "${setting[REQUEST_TOPIC]}" ||
    fail "nothing hears of ${setting[REQUEST_TOPIC]}: deploy before you verify"
}
