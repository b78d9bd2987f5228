# shellcheck shell=bash
# One identity a component, and what each may do, on the resource where that is possible.

components=(dispatch launch complete job scheduler push-launch push-complete build)
made_by='Made by deploy.sh of Sheet to BigQuery'

email_of() { printf '%s-%s@%s.iam.gserviceaccount.com' "${setting[IDENTITY_PREFIX]}" "$1" "${setting[PROJECT]}"; }
member_of() { printf 'serviceAccount:%s' "$(email_of "$1")"; }

make_identities() {
  local there component
  there=$(look iam service-accounts list '--format=value(email)')
  for component in "${components[@]}"; do
    has_line "$there" "$(email_of "$component")" || change iam service-accounts create \
      "${setting[IDENTITY_PREFIX]}-$component" "--display-name=Sheet to BigQuery: $component" "--description=$made_by"
  done
  make_roles
  allow_in_project
}

# No role of Google's has only what settling needs: to see and end executions of the one job, and to see and make
# BigQuery jobs, which may be another identity's.
executions_permissions=run.executions.cancel,run.executions.get,run.executions.list
loads_permissions=bigquery.jobs.create,bigquery.jobs.get

bigquery_project() { printf %s "${setting[BIGQUERY_JOB_PROJECT]:-${setting[PROJECT]}}"; }

make_roles() {
  make_role "${setting[ROLE_PREFIX]}.executions" "${setting[PROJECT]}" "$executions_permissions"
  make_role "${setting[ROLE_PREFIX]}.loads" "$(bigquery_project)" "$loads_permissions"
}

# For a week a deleted role can come back, rather than being made; its name is free again after 37 days.
make_role() {
  local role=$1 project=$2 permissions=$3 line
  line=$(look iam roles list --show-deleted "--project=$project" '--format=value[separator="|"](name.basename(),deleted)')
  line=$(line_of "$line" "$role")
  if [[ -z $line ]]; then
    change iam roles create "$role" "--project=$project" "--title=Sheet to BigQuery: ${role##*.}" \
      "--description=$made_by" "--permissions=$permissions" --stage=GA
    return
  fi
  [[ $line != *'|True' ]] || change iam roles undelete "$role" "--project=$project"
  [[ $(look iam roles describe "$role" "--project=$project" '--format=value(includedPermissions.list())') == "$permissions" ]] ||
    change iam roles update "$role" "--project=$project" "--permissions=$permissions" --quiet
}

# Grants that no resource can hold, as COMPONENT ROLE PROJECT CONDITION: BigQuery's jobs belong to a project, and so does
# what builds and Cloud SQL need; of the latter two, a condition leaves only the buckets with sources, and our instance.
project_grants() {
  local component bigquery sql=${setting[CLOUD_SQL_INSTANCE]%%:*}
  bigquery=$(bigquery_project)
  printf '%s\n' "dispatch projects/$bigquery/roles/${setting[ROLE_PREFIX]}.loads $bigquery none" \
    "complete projects/$bigquery/roles/${setting[ROLE_PREFIX]}.loads $bigquery none" \
    "job roles/bigquery.jobUser $bigquery none" \
    "build roles/logging.logWriter ${setting[PROJECT]} none" \
    "build roles/storage.objectViewer ${setting[PROJECT]} sources"
  [[ ${setting[EXECUTIONS_GRANT]} == job ]] || printf '%s\n' \
    "dispatch projects/${setting[PROJECT]}/roles/${setting[ROLE_PREFIX]}.executions ${setting[PROJECT]} none" \
    "complete projects/${setting[PROJECT]}/roles/${setting[ROLE_PREFIX]}.executions ${setting[PROJECT]} none"
  [[ -n $sql ]] || return 0
  for component in "${with_database[@]}"; do
    printf '%s\n' "$component roles/cloudsql.client $sql instance"
    uses_password || printf '%s\n' "$component roles/cloudsql.instanceUser $sql instance"
  done
}

allow_in_project() {
  local component role project condition
  while read -r component role project condition; do
    allow "$(member_of "$component")" "$role" projects "$project" "$("${condition}_condition" "${setting[CLOUD_SQL_INSTANCE]}")"
  done < <(project_grants)
}

none_condition() { printf %s --condition=None; }

sources_condition() {
  local bucket='resource.name.startsWith("projects/_/buckets'
  printf '%s' "--condition=title=sheet-to-bigquery-sources,expression=$bucket/gcf-v2-sources-\") || " \
    "$bucket/${setting[PROJECT]}_cloudbuild/\") || $bucket/run-sources-\")"
}

instance_title='sheet-to-bigquery-instance'
# Of project:region:instance.
instance_condition() {
  local project=${1%%:*} instance=${1##*:}
  printf '%s' "--condition=title=$instance_title,expression=" \
    "resource.name == \"projects/$project/instances/$instance\" && resource.service == \"sqladmin.googleapis.com\""
}
