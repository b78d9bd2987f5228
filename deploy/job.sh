# shellcheck shell=bash
# The Cloud Run Job: its repository, the job itself, and its image, which Cloud Build makes.

# What the job runs until its first image is built: Google's own sample, which ends at once and loads nothing.
first_image=us-docker.pkg.dev/cloudrun/container/job:latest
# What goes into the image; what of it there is counts.
image_sources=(
  main.py job shared requirements-job.txt deploy/image Dockerfile .dockerignore .gcloudignore cloudbuild-job.yaml
)
job_format='value[separator="|"](metadata.name,metadata.labels.digest,metadata.labels.source,spec.template.spec.template.spec.serviceAccountName,spec.template.spec.template.spec.maxRetries)'

make_repository() {
  local there name=${setting[REPOSITORY]}
  there=$(look artifacts repositories list "--location=${setting[REGION]}" '--format=value(name.basename())')
  has_line "$there" "$name" || change artifacts repositories create "$name" "--location=${setting[REGION]}" \
    --repository-format=docker "--labels=$our_labels"
  allow "$(member_of build)" roles/artifactregistry.writer 'artifacts repositories' "$name" "--location=${setting[REGION]}"
}

deploy_job() {
  local name=${setting[JOB_NAME]} line region=--region=${setting[REGION]}
  make_repository
  make_job
  # The build may change this job, and give it this identity, and nothing else.
  allow "$(member_of build)" roles/run.developer 'run jobs' "$name" "$region"
  allow "$(member_of build)" roles/iam.serviceAccountUser 'iam service-accounts' "$(email_of job)"
  allow "$(member_of launch)" roles/run.jobsExecutorWithOverrides 'run jobs' "$name" "$region"
  [[ ${setting[EXECUTIONS_GRANT]} == project ]] || for component in dispatch complete; do
    allow "$(member_of "$component")" "projects/${setting[PROJECT]}/roles/${setting[ROLE_PREFIX]}.executions" \
      'run jobs' "$name" "$region"
  done
  allow_datasets
  build_image
}

# No retries and one task: PostgreSQL alone decides about attempts. Half a gigabyte takes the largest sheet.
make_job() {
  local name=${setting[JOB_NAME]} line mark identity verb=update
  local -a flags
  identity=$(email_of job)
  read_record
  flags=(
    "--region=${setting[REGION]}" "--service-account=$identity" --memory=512Mi --cpu=1 --tasks=1 --max-retries=0
    "--task-timeout=${setting[RUN_TIMEOUT_SECONDS]}s" "--set-env-vars=^|^$(job_environment)"
  )
  if [[ -n ${setting[LEGACY_KEY_SECRET]} ]]; then
    flags+=("--set-secrets=google_cloud_hkdreporting=${setting[LEGACY_KEY_SECRET]}:latest")
  else
    flags+=(--clear-secrets)
  fi
  # Whom people let in is noted without the deployment's settings, and is no part of the mark.
  mark=$(digest "${flags[@]%"|GRANTED_PEOPLE="*}")
  line=$(line_of "$(look run jobs list "--region=${setting[REGION]}" "--format=$job_format")" "$name")
  [[ $line != "$name|$mark|"*"|$identity|0" ]] || return 0
  if [[ -z $line ]]; then
    [[ ${flags[-1]} != --clear-secrets ]] || unset 'flags[-1]'
    change run jobs create "$name" "--image=$first_image" "${flags[@]}" "--labels=$our_labels,digest=$mark"
  else
    change run jobs "$verb" "$name" "${flags[@]}" "--update-labels=digest=$mark"
  fi
}

# A run's variables come with its execution; these are for executions by hand, and for destroy.
job_environment() {
  local name
  local -a pairs=("GOOGLE_CLOUD_PROJECT=${setting[PROJECT]}" "BIGQUERY_LOCATION=${setting[BIGQUERY_LOCATION]}")
  [[ -z ${setting[SHEETS_READS_PER_MINUTE]} ]] ||
    pairs+=("SHEETS_READS_PER_MINUTE=${setting[SHEETS_READS_PER_MINUTE]}")
  mapfile -t -O "${#pairs[@]}" pairs < <(record_variables)
  name=$(IFS='|' && printf %s "${pairs[*]}")
  printf %s "$name"
}

# Cloud Build makes the image, pushes it, and puts it into the job by its digest; the label comes last, so that what
# was left half done is done again.
build_image() {
  local name=${setting[JOB_NAME]} line source there
  local -a files=()
  for source in "${image_sources[@]}"; do [[ ! -e $source ]] || files+=("$source"); done
  source=$(digest_of_files "${files[@]}")
  there=$(look run jobs list "--region=${setting[REGION]}" "--format=$job_format")
  line=$(line_of "$there" "$name")
  [[ $line != "$name|"*"|$source|"* ]] || return 0
  change builds submit --config=cloudbuild-job.yaml \
    "--substitutions=_REGION=${setting[REGION]},_REPOSITORY=${setting[REPOSITORY]},_JOB=$name" \
    "--service-account=projects/${setting[PROJECT]}/serviceAccounts/$(email_of build)" .
  change run jobs update "$name" "--region=${setting[REGION]}" "--update-labels=source=$source"
}
