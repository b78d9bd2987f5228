# shellcheck shell=bash
# The datasets that the job may write: made if they are not there, never deleted, and none but those that are named.

allow_datasets() {
  local each
  local -a datasets
  IFS=', ' read -ra datasets <<<"${setting[DATASETS]}"
  if [[ ${#datasets[@]} -eq 0 ]]; then
    say 'DATASETS is empty: the job may write nothing yet; name its datasets (--datasets=project.dataset,…)'
  fi
  for each in "${datasets[@]}"; do
    allow_dataset "${each%.*}" "${each##*.}" "${setting[BIGQUERY_LOCATION]}"
    # While the older service has configs, shadow runs load beside its tables: where those are, to be compared with them.
    ! has_portal || allow_dataset "${each%.*}" "${each##*.}${setting[SHADOW_SUFFIX]:-_shadow}" \
      "$(location_of "$(show_dataset "${each%.*}" "${each##*.}")")"
  done
}

allow_dataset() {
  local project=$1 dataset=$2 location=$3 shown
  shown=$(show_dataset "$project" "$dataset")
  if [[ -n $shown ]]; then
    location=$(location_of "$shown")
  else
    change_bigquery mk "--project_id=$project" --dataset "--location=$location" "$project:$dataset"
  fi
  holds_role "$shown" roles/bigquery.dataEditor WRITER "$(email_of job)" ||
    change_access GRANT TO "$location" "$project" "$dataset" roles/bigquery.dataEditor "$(member_of job)"
  # launch asks for a dataset's location.
  holds_role "$shown" roles/bigquery.metadataViewer '' "$(email_of launch)" ||
    change_access GRANT TO "$location" "$project" "$dataset" roles/bigquery.metadataViewer "$(member_of launch)"
}

# Of a dataset that is gone there is nothing to take back.
disallow_dataset() {
  local project=$1 dataset=$2 shown
  shown=$(show_dataset "$project" "$dataset")
  if [[ -n $dry_run ]] || holds_role "$shown" roles/bigquery.dataEditor WRITER "$(email_of job)"; then
    change_access REVOKE FROM "$(location_of "$shown")" "$project" "$dataset" roles/bigquery.dataEditor "$(member_of job)"
  fi
  if [[ -n $dry_run ]] || holds_role "$shown" roles/bigquery.metadataViewer '' "$(email_of launch)"; then
    change_access REVOKE FROM "$(location_of "$shown")" "$project" "$dataset" roles/bigquery.metadataViewer "$(member_of launch)"
  fi
}

# As bq shows it; nothing where there is none.
show_dataset() {
  local shown
  [[ -z $dry_run ]] || return 0
  if shown=$(bq show --format=json "--project_id=$1" "$1:$2" 2>&1 </dev/null); then
    printf %s "$shown"
  elif [[ $shown != *'Not found'* ]]; then
    stopped "bq show $1:$2" "$shown"
  fi
}

# BigQuery shows some roles under older names.
holds_role() {
  local shown=${1//[[:space:]]/} role=$2 older=$3 email=$4 name
  for name in "$role" "$older"; do
    [[ $shown != *"\"role\":\"$name\",\"userByEmail\":\"$email\""* ]] || return 0
    [[ $shown != *"\"userByEmail\":\"$email\",\"role\":\"$name\""* ]] || return 0
  done
  return 1
}

# Of a dataset as bq shows it; where one is made that is not there.
location_of() {
  [[ $1 =~ \"location\":[[:space:]]*\"([^\"]+)\" ]] || { printf %s "${setting[BIGQUERY_LOCATION]}" && return; }
  printf %s "${BASH_REMATCH[1]}"
}

# By SQL, since gcloud and bq bind roles to tables only; where the dataset is, or BigQuery does not find it.
change_access() {
  local verb=$1 preposition=$2 location=$3 project=$4 dataset=$5 role=$6 member=$7
  change_bigquery query "--project_id=$(bigquery_project)" "--location=$location" --use_legacy_sql=false \
    "$verb \`$role\` ON SCHEMA \`$project\`.\`$dataset\` $preposition \"$member\""
}

change_bigquery() { run '' "$(as_line bq "$@")" bq "$@"; }
