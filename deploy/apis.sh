# shellcheck shell=bash
# The services of Google Cloud that the system uses.

apis=(
  artifactregistry bigquery cloudbuild cloudfunctions cloudresourcemanager cloudscheduler drive iam logging monitoring
  pubsub run secretmanager sheets
)
# Which of them are on; filled by read_apis.
enabled_apis=''

read_apis() {
  [[ -z ${setting[CLOUD_SQL_INSTANCE]} ]] || apis+=(sqladmin)
  ! is_behind_iap || apis+=(iap)
  [[ -n $dry_run ]] || enabled_apis=$(ask services list --enabled '--format=value(config.name)')
}

# Whether the commands of a group (pubsub, run, …) have something to look at.
is_enabled() {
  local api
  [[ $1 != beta && $1 != alpha ]] || shift
  case $1 in
    pubsub | run | iam | iap | logging | monitoring) api=$1 ;;
    functions | scheduler) api=cloud$1 ;;
    secrets) api=secretmanager ;;
    artifacts) api=artifactregistry ;;
    sql) api=sqladmin ;;
    *) return 0 ;;
  esac
  has_line "$enabled_apis" "$api.googleapis.com"
}

enable_apis() {
  local api
  local -a missing=()
  for api in "${apis[@]}"; do
    has_line "$enabled_apis" "$api.googleapis.com" || missing+=("$api.googleapis.com")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  change services enable "${missing[@]}"
  enabled_apis+=$'\n'$(printf '%s\n' "${missing[@]}")
  check_region
  check_instance
}
