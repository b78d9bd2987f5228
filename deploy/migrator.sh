# shellcheck shell=bash
# Whom a team lets run migrate.py: what it calls, on the resources where that is possible.

# Who may pause the schedule and let it run again; no role of Google's has only this.
migration_permissions=cloudscheduler.jobs.enable,cloudscheduler.jobs.get,cloudscheduler.jobs.list,cloudscheduler.jobs.pause

# migrator MEMBER: a person's user:…, a group:…, or a serviceAccount:….
allow_migrator() {
  local member=$1 sql=${setting[CLOUD_SQL_INSTANCE]%%:*} bigquery each role
  local -a datasets
  [[ $member =~ ^(user|group|serviceAccount):[^@[:space:]]+@[^@[:space:]]+$ ]] ||
    fail "migrator $member: is not user:…, group:… or serviceAccount:… with an address"
  IFS=', ' read -ra datasets <<<"${setting[DATASETS]}"
  [[ ${#datasets[@]} -gt 0 ]] || fail 'migrator compares tables: name their datasets (--datasets=project.dataset,…)'
  make_role "${setting[ROLE_PREFIX]}.migration" "${setting[PROJECT]}" "$migration_permissions"
  allow "$member" "projects/${setting[PROJECT]}/roles/${setting[ROLE_PREFIX]}.migration" projects "${setting[PROJECT]}" --condition=None
  allow "$member" roles/pubsub.publisher 'pubsub topics' "${setting[REQUEST_TOPIC]}"
  # A message that waits for the job goes back to where the service gets it.
  if has_portal; then allow "$member" roles/pubsub.publisher 'pubsub topics' "${setting[PORTAL_TOPIC]}"; fi
  # rollback closes attempts as settling does, by the roles that dispatch has for it.
  allow "$member" roles/run.viewer 'run jobs' "${setting[JOB_NAME]}" "--region=${setting[REGION]}"
  role=projects/${setting[PROJECT]}/roles/${setting[ROLE_PREFIX]}.executions
  if [[ ${setting[EXECUTIONS_GRANT]} == project ]]; then
    allow "$member" "$role" projects "${setting[PROJECT]}" --condition=None
  else
    allow "$member" "$role" 'run jobs' "${setting[JOB_NAME]}" "--region=${setting[REGION]}"
  fi
  bigquery=$(bigquery_project)
  # Comparing, with shadow datasets of one's own, and whose jobs wrote a table.
  for role in "projects/$bigquery/roles/${setting[ROLE_PREFIX]}.loads" roles/bigquery.user roles/bigquery.resourceViewer; do
    allow "$member" "$role" projects "$bigquery" --condition=None
  done
  allow "$member" roles/monitoring.viewer projects "${setting[PROJECT]}" --condition=None
  if [[ -n $sql ]]; then
    for role in client instanceUser; do allow "$member" "roles/cloudsql.$role" projects "$sql" "$(instance_condition)"; done
  fi
  # The older service's traffic.
  if [[ -n $dry_run ]] || is_service_here; then
    allow "$member" roles/run.developer 'run services' "${setting[SERVICE]}" "--region=${setting[REGION]}"
  fi
  for each in "${datasets[@]}"; do
    edit_dataset "$member" "${each%.*}" "${each##*.}"
    edit_dataset "$member" "${each%.*}" "${each##*.}${setting[SHADOW_SUFFIX]:-_shadow}"
  done
}

# Both tables of a comparison are read, views of an old shape made, shadow tables dropped at the end. A shadow dataset that
# is not there yet comes with DATASETS and PORTAL_TOPIC.
edit_dataset() {
  local member=$1 project=$2 dataset=$3 shown
  shown=$(show_dataset "$project" "$dataset")
  [[ -n $shown || -n $dry_run ]] ||
    fail "there is no dataset $project:$dataset: deploy with it in DATASETS, and with --portal-topic for its shadow"
  holds_role "$shown" roles/bigquery.dataEditor WRITER "${member#*:}" ||
    change_access GRANT TO "$(location_of "$shown")" "$project" "$dataset" roles/bigquery.dataEditor "$member"
}
