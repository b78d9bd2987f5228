# shellcheck shell=bash
# Whom a team lets run migrate.py: what it calls, on the resources where that is possible.

# Who may pause the schedule and let it run again; no role of Google's has only this.
migration_permissions=cloudscheduler.jobs.enable,cloudscheduler.jobs.get,cloudscheduler.jobs.list,cloudscheduler.jobs.pause

# migrator MEMBER: a person's user:…, a group:…, or a serviceAccount:….
allow_migrator() {
  local member=$1 sql=${setting[CLOUD_SQL_INSTANCE]%%:*} each role
  local -a datasets
  [[ $member =~ ^(user|group|serviceAccount):[^@[:space:]]+@[^@[:space:]]+$ ]] ||
    fail "migrator $member: is not user:…, group:… or serviceAccount:… with an address"
  IFS=', ' read -ra datasets <<<"${setting[DATASETS]}"
  [[ ${#datasets[@]} -gt 0 ]] || fail 'migrator compares tables: name their datasets (--datasets=project.dataset,…)'
  make_role "${setting[ROLE_PREFIX]}.migration" "${setting[PROJECT]}" "$migration_permissions"
  allow "$member" "projects/${setting[PROJECT]}/roles/${setting[ROLE_PREFIX]}.migration" projects "${setting[PROJECT]}" --condition=None
  allow "$member" roles/pubsub.publisher 'pubsub topics' "${setting[REQUEST_TOPIC]}"
  allow "$member" roles/bigquery.jobUser projects "$(bigquery_project)" --condition=None
  if [[ -n $sql ]]; then
    for role in client instanceUser; do allow "$member" "roles/cloudsql.$role" projects "$sql" "$(instance_condition)"; done
  fi
  # The older service's traffic.
  if [[ -n $dry_run ]] || is_service_here; then
    allow "$member" roles/run.developer 'run services' "${setting[SERVICE]}" "--region=${setting[REGION]}"
  fi
  for each in "${datasets[@]}"; do
    read_dataset "$member" "${each%.*}" "${each##*.}"
    read_dataset "$member" "${each%.*}" "${each##*.}${setting[SHADOW_SUFFIX]:-_shadow}"
  done
}

# Both tables of a comparison are read; a shadow dataset that is not there yet comes with DATASETS and PORTAL_TOPIC.
read_dataset() {
  local member=$1 project=$2 dataset=$3 shown
  shown=$(show_dataset "$project" "$dataset")
  [[ -n $shown || -n $dry_run ]] ||
    fail "there is no dataset $project:$dataset: deploy with it in DATASETS, and with --portal-topic for its shadow"
  holds_role "$shown" roles/bigquery.dataViewer READER "${member#*:}" ||
    change_access GRANT TO "$shown" "$project" "$dataset" roles/bigquery.dataViewer "$member"
}
