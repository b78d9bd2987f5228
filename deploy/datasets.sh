# shellcheck shell=bash
# The datasets that the job may write: made if they are not there, never deleted, and none but those that are named.

allow_datasets() {
  local each
  local -a datasets
  IFS=', ' read -ra datasets <<<"${setting[DATASETS]}"
  if [[ ${#datasets[@]} -eq 0 ]]; then
    say 'DATASETS is empty: the job may write nothing yet; name its datasets (--datasets=project.dataset,…)'
  fi
  for each in "${datasets[@]}"; do allow_dataset "${each%.*}" "${each##*.}"; done
}

allow_dataset() {
  local project=$1 dataset=$2 shown=''
  [[ -n $dry_run ]] || shown=$(bq show --format=json "--project_id=$project" "$project:$dataset" 2>&1 </dev/null) ||
    case $shown in
      *'Not found'*) shown='' ;;
      *) stopped "bq show $project:$dataset" "$shown" ;;
    esac
  [[ -n $shown ]] || change_bigquery mk "--project_id=$project" --dataset "--location=${setting[BIGQUERY_LOCATION]}" \
    "$project:$dataset"
  grant_on_dataset "$shown" "$project" "$dataset" roles/bigquery.dataEditor WRITER "$(email_of job)"
  # launch asks for a dataset's location.
  grant_on_dataset "$shown" "$project" "$dataset" roles/bigquery.metadataViewer '' "$(email_of launch)"
}

# By SQL, since gcloud and bq bind roles to tables only; BigQuery shows some roles under older names.
grant_on_dataset() {
  local shown=${1//[[:space:]]/} project=$2 dataset=$3 role=$4 older=$5 email=$6 name
  for name in "$role" "$older"; do
    [[ $shown != *"\"role\":\"$name\",\"userByEmail\":\"$email\""* ]] || return 0
    [[ $shown != *"\"userByEmail\":\"$email\",\"role\":\"$name\""* ]] || return 0
  done
  change_bigquery query "--project_id=$(bigquery_project)" --use_legacy_sql=false \
    "GRANT \`$role\` ON SCHEMA \`$project\`.\`$dataset\` TO \"serviceAccount:$email\""
}

change_bigquery() { run '' "$(as_line bq "$@")" bq "$@"; }
