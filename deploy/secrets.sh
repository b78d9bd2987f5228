# shellcheck shell=bash
# Secrets: the database's password, which is made here if it is not there, and those that the caller has.

our_labels=app=sheet-to-bigquery

# A user with a password; a Cloud SQL instance without POSTGRES_USER is reached by IAM alone.
uses_password() { [[ -z ${setting[CLOUD_SQL_INSTANCE]} || -n ${setting[POSTGRES_USER]} ]]; }

make_secrets() {
  local component
  if uses_password; then
    make_password
    for component in "${with_database[@]}"; do
      allow_secret "$component" "${setting[PASSWORD_SECRET]}"
    done
  fi
  [[ -z ${setting[LEGACY_KEY_SECRET]} ]] || allow_secret job "${setting[LEGACY_KEY_SECRET]}"
  # People are told by the sweep, which is dispatch's.
  [[ -z ${setting[SLACK_SECRET]} ]] || allow_secret dispatch "${setting[SLACK_SECRET]}"
  [[ -z ${setting[WEBHOOK_SECRET]} ]] || allow_secret dispatch "${setting[WEBHOOK_SECRET]}"
}

allow_secret() { allow "$(member_of "$1")" roles/secretmanager.secretAccessor secrets "$2"; }

make_password() {
  local secret=${setting[PASSWORD_SECRET]} there
  there=$(look secrets list '--format=value(name.basename())')
  has_line "$there" "$secret" || change secrets create "$secret" --replication-policy=automatic "--labels=$our_labels"
  # A version that is there stays: to change the password, add a version and deploy the functions again.
  if has_line "$there" "$secret" && [[ -n $(look secrets versions list "$secret" '--format=value(name)') ]]; then
    return
  fi
  [[ -n $dry_run || -n ${POSTGRES_PASSWORD:-} ]] ||
    fail "the secret $secret has no version: give the password once in the environment, as POSTGRES_PASSWORD"
  change_from_variable POSTGRES_PASSWORD secrets versions add "$secret" --data-file=-
}
