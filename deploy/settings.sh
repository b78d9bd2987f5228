# shellcheck shell=bash
# What a deployment is told: flags (--postgres-host=…), or an env file of the same names (POSTGRES_HOST: '…').
# The caller's environment is not read, so that a shell that is set up for the local system deploys nothing of it;
# only secrets come from there: POSTGRES_PASSWORD, POSTGRES_OWNER_PASSWORD, slack_accessToken.

# The names are the owner's guide's where it has one.
declare -A setting=(
  [PROJECT]='' [REGION]=''
  # Resources.
  [JOB_NAME]=sheettobigquery-job [REPOSITORY]=github-service-sheettobigquery
  [DISPATCH_FUNCTION]=sheettobigquery-orchestrator [LAUNCH_FUNCTION]=sheettobigquery-launch
  [COMPLETE_FUNCTION]=sheettobigquery-complete [SERVICE]=service-sheettobigquery
  [IDENTITY_PREFIX]=sheettobigquery [ROLE_PREFIX]=sheettobigquery
  [REQUEST_TOPIC]=sheet-to-bigquery-requests [COMPLETION_TOPIC]=sheet-to-bigquery-completions
  [DEAD_LETTER_TOPIC]=sheet-to-bigquery-dead-letters [SINK]=sheet-to-bigquery-executions
  [SCHEDULE_NAME]=orchestrator-schedule [SWEEP_SCHEDULE_NAME]=sweep-schedule [SCHEDULE]='*/5 * * * *'
  [SUCCESS_METRIC]=sheet_to_bigquery_job_success [FAILURE_METRIC]=sheet_to_bigquery_job_failure
  # Secrets, by their names in Secret Manager. The first is made if it is not there; the others are the caller's.
  [PASSWORD_SECRET]=postgres-password [LEGACY_KEY_SECRET]='' [SLACK_SECRET]='' [WEBHOOK_SECRET]=''
  # The database: a Cloud SQL instance (by IAM unless POSTGRES_USER is given), or a host with TLS.
  [CLOUD_SQL_INSTANCE]='' [CREATE_INSTANCE]=no [POSTGRES_HOST]='' [POSTGRES_PORT]=5432 [POSTGRES_DB]='' [POSTGRES_USER]=''
  [POSTGRES_SSLMODE]=require [CONFIGS_TABLE]=sheet_to_bigquery_configs [POSTGRES_OWNER]='' [MIGRATE]=yes [VPC_CONNECTOR]=''
  # Connections: what PostgreSQL has for us, and what of it people and migrations may need meanwhile.
  [POSTGRES_CONNECTIONS]=50 [CONNECTIONS_IN_RESERVE]=8
  [DISPATCH_INSTANCES]=2 [LAUNCH_INSTANCES]=4 [COMPLETE_INSTANCES]=4 [CONCURRENCY]=4
  # BigQuery: the datasets that the job may write (project.dataset, with commas between), and who pays.
  [DATASETS]='' [BIGQUERY_JOB_PROJECT]='' [BIGQUERY_LOCATION]=US
  # Who is told: an address, a Slack channel, or channels that are there (projects/P/notificationChannels/N).
  [ALERT_EMAIL]='' [ALERT_SLACK_CHANNEL]='' [ALERT_CHANNELS]='' [OLDEST_DUE_MINUTES]=60 [DISPATCH_EVERY_MINUTES]=''
  # The product's own settings: handed to the functions where they are given. README.md has their meaning.
  [MAX_RUNNING]='' [SHEETS_READS_PER_MINUTE]='' [MAX_ATTEMPTS]='' [RETRY_SECONDS]='' [LEASE_SECONDS]=''
  [RUN_TIMEOUT_SECONDS]=1800 [PAUSE_AFTER_FAILURES]='' [SWEEP_SECONDS]='' [RUNS_KEPT_DAYS]='' [SLACK_CHANNEL]=''
  [NOTIFY_SUCCESS]=''
)
product_settings=(
  MAX_RUNNING SHEETS_READS_PER_MINUTE MAX_ATTEMPTS RETRY_SECONDS LEASE_SECONDS RUN_TIMEOUT_SECONDS
  PAUSE_AFTER_FAILURES SWEEP_SECONDS RUNS_KEPT_DAYS SLACK_CHANNEL NOTIFY_SUCCESS BIGQUERY_LOCATION BIGQUERY_JOB_PROJECT
)
# What the database stands under in a plan that was made without knowing it: the guide's own placeholders.
declare -A placeholder=(
  [POSTGRES_HOST]=your-postgres-host [POSTGRES_DB]=your-database [POSTGRES_USER]=your-username
)

# One setting, given as NAME and VALUE by FROM; an empty value leaves the default.
set_setting() {
  local name=$1 value=$2 from=$3
  [[ $name != GOOGLE_CLOUD_PROJECT ]] || name=PROJECT
  if [[ $name == POSTGRES_PASSWORD && $from != --* ]]; then
    export POSTGRES_PASSWORD="${POSTGRES_PASSWORD:-$value}" # only for the secret's first version: never shown
    return
  fi
  [[ -v setting[$name] ]] || fail "$from: there is no setting $name; deploy/settings.sh lists them"
  [[ $value != *[$'\n\t|']* ]] || fail "$from: $name has a line break, a tab or a '|' in it"
  [[ -z $value ]] || setting[$name]=$value
}

# An env file: lines NAME: 'value' as gcloud's --env-vars-file takes them, or NAME=value.
read_env_file() {
  local file=$1 line number=0 name value
  [[ -r $file ]] || fail "--env-file=$file: there is no such file, or it cannot be read"
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    [[ ! $line =~ ^[[:space:]]*(#.*)?$ ]] || continue
    [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_]+)[[:space:]]*[:=][[:space:]]*(.*)$ ]] ||
      fail "$file, line $number: is not NAME: 'value'" # without the line: it may hold the password
    name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]%"${BASH_REMATCH[3]##*[![:space:]]}"}
    case $value in
      \'*\') value=${value:1:-1} && value=${value//\'\'/\'} ;;
      \"*\") value=${value:1:-1} ;;
      *) value=${value%%[[:space:]]#*} && value=${value%"${value##*[![:space:]]}"} ;;
    esac
    set_setting "$name" "$value" "$file, line $number"
  done <"$file"
}

# Everything that can be known to be wrong without asking Google: one error names it and the remedy.
check_settings() {
  local name
  [[ ${setting[PROJECT]} =~ ^[a-z][a-z0-9-]{4,28}[a-z0-9]$ ]] ||
    fail "--project=${setting[PROJECT]}: is not a project's id (6 to 30 of a-z, 0-9 and -)"
  [[ ${setting[REGION]} =~ ^[a-z]+-[a-z]+[0-9]+$ ]] || fail "--region=${setting[REGION]}: is not a region, like us-central1"
  # Cloud Run's longest service name; executions and revisions add to it.
  for name in JOB_NAME DISPATCH_FUNCTION LAUNCH_FUNCTION COMPLETE_FUNCTION SERVICE; do
    check_name "$name" '^[a-z]([a-z0-9-]{0,47}[a-z0-9])?$' 'at most 49 of a-z, 0-9 and -'
  done
  # The longest identity's name has 14 more characters, of 30.
  check_name IDENTITY_PREFIX '^[a-z][a-z0-9-]{1,14}[a-z0-9]$' '3 to 16 of a-z, 0-9 and -'
  check_name ROLE_PREFIX '^[a-zA-Z0-9_.]{3,50}$' '3 to 50 of a-z, A-Z, 0-9, _ and .'
  for name in REQUEST_TOPIC COMPLETION_TOPIC DEAD_LETTER_TOPIC; do
    check_name "$name" '^[A-Za-z][A-Za-z0-9_.~+%-]{2,254}$' '3 to 255 letters, digits and - _ . ~ + %'
    [[ ${setting[$name]} != goog* ]] || fail "$name=${setting[$name]}: a topic's name must not begin with goog"
  done
  for name in REPOSITORY SINK SCHEDULE_NAME SWEEP_SCHEDULE_NAME SUCCESS_METRIC FAILURE_METRIC PASSWORD_SECRET; do
    check_name "$name" '^[A-Za-z][A-Za-z0-9_-]{0,62}$' 'at most 63 letters, digits, _ and -'
  done
  for name in POSTGRES_PORT POSTGRES_CONNECTIONS CONNECTIONS_IN_RESERVE DISPATCH_INSTANCES LAUNCH_INSTANCES \
    COMPLETE_INSTANCES CONCURRENCY OLDEST_DUE_MINUTES RUN_TIMEOUT_SECONDS; do
    check_name "$name" '^[1-9][0-9]{0,6}$' 'a whole number'
  done
  check_name SCHEDULE '^[^ ]+( [^ ]+){4}$' 'five fields of cron, like */5 * * * *'
  check_database_settings
  check_connections
  check_alerts
  check_datasets
  [[ -z ${setting[DISPATCH_EVERY_MINUTES]} ]] || check_name DISPATCH_EVERY_MINUTES '^[1-9][0-9]{0,6}$' 'a whole number'
  dispatch_every_minutes >/dev/null
}

check_name() {
  local name=$1 pattern=$2 shape=$3
  [[ ${setting[$name]} =~ $pattern ]] || fail "$name=${setting[$name]}: is not allowed; it has to be $shape"
}

check_database_settings() {
  local name needed=(POSTGRES_DB)
  check_name POSTGRES_SSLMODE '^(require|verify-full)$' 'require or verify-full: a database is not reached without TLS'
  for name in CREATE_INSTANCE MIGRATE; do check_name "$name" '^(yes|no)$' 'yes or no'; done
  if [[ -n ${setting[CLOUD_SQL_INSTANCE]} ]]; then
    check_name CLOUD_SQL_INSTANCE '^[a-z][a-z0-9-]+:[a-z0-9-]+:[a-z][a-z0-9-]*$' 'project:region:instance'
    [[ -z ${setting[POSTGRES_HOST]} ]] || fail 'CLOUD_SQL_INSTANCE and POSTGRES_HOST are both given: choose one'
  else
    needed+=(POSTGRES_HOST POSTGRES_USER)
  fi
  [[ -n $needs_database ]] || return 0
  for name in "${needed[@]}"; do
    [[ -z ${setting[$name]} ]] || continue
    [[ -n $dry_run ]] || fail "$name is missing: give it as --$(flag_of "$name")=… or in the env file" \
      "(or CLOUD_SQL_INSTANCE in place of a host)"
    setting[$name]=${placeholder[$name]}
    say "$name is not given: the plan has '${setting[$name]}' in its place"
  done
  check_owner
}

# Who migrates, and who verifies, logs in as somebody.
check_owner() {
  [[ $needs_database == verify || $needs_database != functions && ${setting[MIGRATE]} == yes ]] || return 0
  [[ -n ${setting[POSTGRES_OWNER]}${setting[POSTGRES_USER]} || -n $dry_run ]] ||
    fail 'POSTGRES_OWNER is missing: whose are the tables? (your own address, by IAM; it has to be a user of the' \
      'instance that may make tables), or give --migrate=no'
}

# Each invocation of a function has one connection, so that instances times concurrency bounds them.
check_connections() {
  local instances=$((setting[DISPATCH_INSTANCES] + setting[LAUNCH_INSTANCES] + setting[COMPLETE_INSTANCES])) wanted
  wanted=$((instances * setting[CONCURRENCY] + setting[CONNECTIONS_IN_RESERVE]))
  ((wanted <= setting[POSTGRES_CONNECTIONS])) ||
    fail "the functions could open $wanted connections, $instances instances × ${setting[CONCURRENCY]} at once and" \
      "${setting[CONNECTIONS_IN_RESERVE]} in reserve, but POSTGRES_CONNECTIONS is ${setting[POSTGRES_CONNECTIONS]}:" \
      'lower *_INSTANCES or CONCURRENCY, or raise it with PostgreSQL'"'"'s max_connections'
}

check_alerts() {
  local channel channels
  [[ -z ${setting[ALERT_EMAIL]} || ${setting[ALERT_EMAIL]} == ?*@?*.?* ]] ||
    fail "ALERT_EMAIL=${setting[ALERT_EMAIL]}: is not an address"
  IFS=, read -ra channels <<<"${setting[ALERT_CHANNELS]}"
  for channel in "${channels[@]}"; do
    [[ $channel =~ ^projects/[^/]+/notificationChannels/[^/]+$ ]] ||
      fail "ALERT_CHANNELS: $channel is not projects/PROJECT/notificationChannels/NUMBER"
  done
  [[ -z ${setting[ALERT_SLACK_CHANNEL]} || -n ${slack_accessToken:-} || -n $dry_run ]] ||
    fail 'ALERT_SLACK_CHANNEL needs the bot'"'"'s token in the environment, as slack_accessToken'
}

check_datasets() {
  local dataset
  local -a datasets
  IFS=', ' read -ra datasets <<<"${setting[DATASETS]}"
  for dataset in "${datasets[@]}"; do
    [[ $dataset =~ ^[a-z][a-z0-9:.-]+\.[A-Za-z0-9_]+$ ]] || fail "DATASETS: $dataset is not project.dataset"
  done
}

flag_of() {
  local name=${1,,}
  printf %s "${name//_/-}"
}
