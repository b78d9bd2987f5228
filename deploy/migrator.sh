# shellcheck shell=bash
# Whom a team lets run migrate.py: what it calls, on the resources where that is possible.

# Who may pause the schedule and let it run again; no role of Google's has only this.
migration_permissions=cloudscheduler.jobs.enable,cloudscheduler.jobs.get,cloudscheduler.jobs.list,cloudscheduler.jobs.pause

# migrator MEMBER: a person's user:…, a group:…, or a serviceAccount:….
allow_migrator() {
  local member=$1 name
  local -a datasets
  check_member migrator "$member"
  IFS=', ' read -ra datasets <<<"${setting[DATASETS]}"
  [[ ${#datasets[@]} -gt 0 ]] || fail 'migrator compares tables: name their datasets (--datasets=project.dataset,…)'
  # A shadow dataset that is not there yet comes with DATASETS and PORTAL_TOPIC.
  for name in "${datasets[@]}" "${datasets[@]/%/${setting[SHADOW_SUFFIX]:-_shadow}}"; do
    [[ -n $dry_run || -n $(show_dataset "${name%.*}" "${name##*.}") ]] ||
      fail "there is no dataset ${name%.*}:${name##*.}: deploy with it in DATASETS, and with --portal-topic for its shadow"
  done
  make_role "${setting[ROLE_PREFIX]}.migration" "${setting[PROJECT]}" "$migration_permissions"
  let_in "$member" < <(migrator_grants "${datasets[@]}")
}

# As ROLE PLACE, a line each.
migrator_grants() {
  local project=${setting[PROJECT]} prefix=${setting[ROLE_PREFIX]} bigquery name executions
  bigquery=$(bigquery_project)
  printf '%s\n' "projects/$project/roles/$prefix.migration projects/$project" \
    "roles/pubsub.publisher pubsub topics/${setting[REQUEST_TOPIC]}"
  # A message that waits for the job goes back to where the service gets it.
  ! has_portal || printf '%s\n' "roles/pubsub.publisher pubsub topics/${setting[PORTAL_TOPIC]}"
  # rollback closes attempts as settling does, by the roles that dispatch has for it.
  executions="run jobs/${setting[JOB_NAME]}"
  printf '%s\n' "roles/run.viewer $executions"
  [[ ${setting[EXECUTIONS_GRANT]} == job ]] || executions=projects/$project
  printf '%s\n' "projects/$project/roles/$prefix.executions $executions"
  # Comparing, with shadow datasets of one's own, and whose jobs wrote a table.
  printf '%s\n' "projects/$bigquery/roles/$prefix.loads projects/$bigquery" "roles/bigquery.user projects/$bigquery" \
    "roles/bigquery.resourceViewer projects/$bigquery" "roles/monitoring.viewer projects/$project"
  [[ -z ${setting[CLOUD_SQL_INSTANCE]} ]] || printf '%s\n' "roles/cloudsql.client instances/${setting[CLOUD_SQL_INSTANCE]}" \
    "roles/cloudsql.instanceUser instances/${setting[CLOUD_SQL_INSTANCE]}"
  # The older service's traffic.
  if [[ -n $dry_run ]] || is_service_here; then printf '%s\n' "roles/run.developer run services/${setting[SERVICE]}"; fi
  # Both tables of a comparison are read, views of an old shape made, shadow tables dropped at the end.
  for name; do
    printf '%s\n' "roles/bigquery.dataEditor datasets/$name" \
      "roles/bigquery.dataEditor datasets/$name${setting[SHADOW_SUFFIX]:-_shadow}"
  done
}
