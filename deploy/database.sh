# shellcheck shell=bash
# The database: instance, database and users where Cloud SQL has it, then the schema and the functions' grants.

make_database() {
  if [[ -n ${setting[CLOUD_SQL_INSTANCE]} ]]; then make_cloud_sql; fi
  if [[ ${setting[MIGRATE]} == yes ]]; then
    migrate
  else
    say 'MIGRATE is no: where the database can be reached, run python -m sql up, and python -m sql grant ROLE…'
  fi
}

make_cloud_sql() {
  local project=${setting[CLOUD_SQL_INSTANCE]%%:*} instance=${setting[CLOUD_SQL_INSTANCE]##*:} there component
  make_instance "$project" "$instance"
  there=$(look sql databases list "--instance=$instance" "--project=$project" '--format=value(name)')
  has_line "$there" "${setting[POSTGRES_DB]}" ||
    change sql databases create "${setting[POSTGRES_DB]}" "--instance=$instance" "--project=$project"
  ! uses_password || return 0 # a user with a password is its owner's to make: here it would stand on the screen
  there=$(look sql users list "--instance=$instance" "--project=$project" '--format=value(name)')
  for component in "${with_database[@]}"; do
    has_line "$there" "$(role_of "$component")" || change sql users create "$(role_of "$component")" \
      "--instance=$instance" "--project=$project" --type=cloud_iam_service_account
  done
}

# An instance is made only when that is asked for: it costs money by the hour. An instance that is there is left as it
# is, but has to take logins by IAM (check_instance): changing its flags can restart it, which is for its owner to decide.
make_instance() {
  local project=$1 instance=$2 there region=${setting[CLOUD_SQL_INSTANCE]#*:}
  there=$(look sql instances list "--project=$project" '--format=value(name)')
  ! has_line "$there" "$instance" || return 0
  [[ ${setting[CREATE_INSTANCE]} == yes ]] || return 0 # in a plan alone: check_instance
  change sql instances create "$instance" "--project=$project" "--region=${region%%:*}" \
    --database-version=POSTGRES_15 --edition=enterprise --tier=db-custom-1-3840 --storage-auto-increase \
    --backup-start-time=03:00 --enable-point-in-time-recovery --deletion-protection \
    --database-flags=cloudsql.iam_authentication=on
}

# Once Cloud SQL's API is on, which is before the first change or right after that one.
check_instance() {
  local project=${setting[CLOUD_SQL_INSTANCE]%%:*} instance=${setting[CLOUD_SQL_INSTANCE]##*:} there
  [[ -n $instance && -z $dry_run ]] && is_enabled sql || return 0
  there=$(look sql instances list "--project=$project" '--format=value(name)')
  if ! has_line "$there" "$instance"; then
    [[ ${setting[CREATE_INSTANCE]} != yes ]] || return 0
    fail "Cloud SQL has no instance $instance in $project: correct CLOUD_SQL_INSTANCE, or have it made by --create-instance=yes"
  fi
  ! uses_password || return 0
  there=$(look sql instances describe "$instance" "--project=$project" '--flatten=settings.databaseFlags[]' \
    '--format=value[separator="="](settings.databaseFlags.name,settings.databaseFlags.value)')
  has_line "$there" cloudsql.iam_authentication=on ||
    fail "the instance $instance takes no logins by IAM: set its flag cloudsql.iam_authentication=on beside the flags" \
      'that it has (gcloud sql instances patch replaces them all), or give POSTGRES_USER'
}

# As the owner of the tables: POSTGRES_OWNER with POSTGRES_OWNER_PASSWORD of the environment, or by IAM without it;
# without an owner, as the functions' own user. Doing it again changes nothing.
migrate() {
  local owner=${setting[POSTGRES_OWNER]:-${setting[POSTGRES_USER]}} component password
  local -a roles=() place
  owner=${owner:-your-username} # in a plan alone: check_owner
  place=("POSTGRES_DB=${setting[POSTGRES_DB]}" "POSTGRES_USER=$owner" "CONFIGS_TABLE=${setting[CONFIGS_TABLE]}")
  place+=("${database_place[@]}")
  password=${POSTGRES_OWNER_PASSWORD:-}
  if [[ -z ${setting[POSTGRES_OWNER]} ]]; then password=$(known_password); fi
  POSTGRES_PASSWORD=$password run_python "${place[@]}" -m sql up
  for component in "${with_database[@]}"; do
    [[ " ${roles[*]} " == *" $(role_of "$component") "* || $(role_of "$component") == "$owner" ]] ||
      roles+=("$(role_of "$component")")
  done
  if [[ ${#roles[@]} -gt 0 ]]; then POSTGRES_PASSWORD=$password run_python "${place[@]}" -m sql grant "${roles[@]}"; fi
}

# The reverse of that grant, for destroy: as the owner, where this call knows who that is and where the database is.
revoke_rights() {
  local component
  local -a roles=()
  can_revoke || return 0
  for component in "${with_database[@]}"; do roles+=("$(iam_user_of "$component")"); done
  POSTGRES_PASSWORD=${POSTGRES_OWNER_PASSWORD:-} run_python "POSTGRES_DB=${setting[POSTGRES_DB]}" \
    "POSTGRES_USER=${setting[POSTGRES_OWNER]}" "CONFIGS_TABLE=${setting[CONFIGS_TABLE]}" "${database_place[@]}" \
    -m sql revoke "${roles[@]}"
}

# Only users that are our identities go; a user with a password is its owner's.
can_revoke() {
  ! uses_password && [[ ${setting[MIGRATE]} == yes && -n ${setting[POSTGRES_OWNER]} && -n ${setting[POSTGRES_DB]} ]]
}

# Where the database is, as the product's settings say it.
find_database() {
  if [[ -n ${setting[CLOUD_SQL_INSTANCE]} ]]; then
    database_place=("CLOUD_SQL_INSTANCE=${setting[CLOUD_SQL_INSTANCE]}")
  else
    database_place=("POSTGRES_HOST=${setting[POSTGRES_HOST]}" "POSTGRES_PORT=${setting[POSTGRES_PORT]}"
      "POSTGRES_SSLMODE=${setting[POSTGRES_SSLMODE]}")
  fi
}

# The functions' password: the caller's, or what Secret Manager has.
known_password() {
  if [[ -n $dry_run ]]; then return; fi
  if [[ -n ${POSTGRES_PASSWORD:-} ]] || ! uses_password; then
    printf %s "${POSTGRES_PASSWORD:-}"
  else
    ask secrets versions access latest "--secret=${setting[PASSWORD_SECRET]}"
  fi
}

python_here() { if [[ -x $root/.venv/bin/python ]]; then printf %s "$root/.venv/bin/python"; else printf python3; fi; }

# A command of the product with these settings; the password goes by the environment, where no list of processes has it.
run_python() {
  local python said
  local -a settings=()
  while [[ $1 == [A-Z]*=* ]]; do settings+=("$1") && shift; done
  if [[ -n $dry_run ]]; then
    printf '%s\n' "$(as_line "${settings[@]}" python "$@")"
    return
  fi
  python=$(python_here)
  say "+ $(as_line "${settings[@]}" python "$@")"
  said=$(env "${settings[@]}" "$python" "$@" 2>&1 </dev/null) || stopped "python $*" "$said"
  say "$said"
}
