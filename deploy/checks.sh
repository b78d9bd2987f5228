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
