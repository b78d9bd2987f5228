# shellcheck shell=bash
# What a deployment is told: flags (--postgres-host=…), or an env file of the same names (POSTGRES_HOST: '…').
# The caller's environment is not read, so that a shell that is set up for the local system deploys nothing of it;
# only secrets come from there: POSTGRES_PASSWORD, POSTGRES_OWNER_PASSWORD, slack_accessToken.

# The names are the owner's guide's where it has one. `./deploy.sh help settings` prints this list.
declare -A setting=(
  [PROJECT]=''                                       # where: the project's id
  [REGION]=''                                        # where: a region of Cloud Run, like us-central1
  # Resources.
  [JOB_NAME]=sheettobigquery-job                     # the Cloud Run Job
  [REPOSITORY]=github-service-sheettobigquery        # Artifact Registry's repository, for the job's image and the functions' images
  [DISPATCH_FUNCTION]=sheettobigquery-orchestrator   # the function that records what is due
  [LAUNCH_FUNCTION]=sheettobigquery-launch           # the function that starts executions
  [COMPLETE_FUNCTION]=sheettobigquery-complete       # the function that hears of their ends
  [FORWARD_FUNCTION]=sheettobigquery-forward         # the function that takes the portal's messages, where PORTAL_TOPIC is given
  [CONSOLE_FUNCTION]=sheettobigquery-console         # the function that serves the page where people see what runs
  [CONSOLE]=yes                                      # no deploys no page
  [CONSOLE_ACCESS]=iam                               # how people reach it: iam, or iap for Identity-Aware Proxy
  [CONSOLE_EDITORS]=''                               # who may act there: addresses or *@example.com, with commas between; everybody if not given
  [SHARE_WITH]=''                                    # whom it tells people to share sheets with: the job's identity, if not given, unless there is a LEGACY_KEY_SECRET
  [SERVICE]=service-sheettobigquery                  # the older service, for service-traffic and forward
  [SERVICE_URL]=''                                   # its address, if it is not in this project and region
  [PORTAL_TOPIC]=''                                  # the topic of the older service's portal: with it, forward is deployed
  [FORWARD_SUBSCRIPTION]=sheet-to-bigquery-forward   # forward's own subscription of that topic
  [IDENTITY_PREFIX]=sheettobigquery                  # how the service accounts' names begin
  [ROLE_PREFIX]=sheettobigquery                      # how the custom roles' names begin
  [EXECUTIONS_GRANT]=job                             # job, or project where verify tells that Cloud Run's jobs do not hand it on
  [REQUEST_TOPIC]=sheet-to-bigquery-requests         # the topic of requests for a run
  [COMPLETION_TOPIC]=sheet-to-bigquery-completions   # the topic of ended runs
  [DEAD_LETTER_TOPIC]=sheet-to-bigquery-dead-letters # the topic of messages that were given up
  [SINK]=sheet-to-bigquery-executions                # Cloud Logging's sink for the ends of executions
  [SCHEDULE_NAME]=orchestrator-schedule              # Cloud Scheduler's job that calls dispatch
  [SWEEP_SCHEDULE_NAME]=sweep-schedule               # the one that calls its sweep, every minute
  [SCHEDULE]='*/5 * * * *'                           # when dispatch is called, as cron writes it
  [SUCCESS_METRIC]=sheet_to_bigquery_job_success     # the metric of successes
  [FAILURE_METRIC]=sheet_to_bigquery_job_failure     # the metric of failures
  # Secrets, by their names in Secret Manager. The first is made if it is not there; the others are the caller's.
  [PASSWORD_SECRET]=postgres-password                # the database's password
  [LEGACY_KEY_SECRET]=''                             # the older service's key (google_cloud_hkdreporting), for the job
  [SLACK_SECRET]=''                                  # the Slack bot's token (slack_accessToken)
  [WEBHOOK_SECRET]=''                                # the address that gets each notice (NOTIFY_WEBHOOK_URL)
  # The database: a Cloud SQL instance (by IAM unless POSTGRES_USER is given), or a host with TLS.
  [CLOUD_SQL_INSTANCE]=''                            # project:region:instance, in place of a host
  [CREATE_INSTANCE]=no                               # yes makes that instance if it is not there
  [POSTGRES_HOST]=''                                 # the host
  [POSTGRES_PORT]=5432                               # its port
  [POSTGRES_DB]=''                                   # the database's name
  [POSTGRES_USER]=''                                 # whom the functions log in as
  [POSTGRES_SSLMODE]=require                         # require, or verify-full
  [CONFIGS_TABLE]=sheet_to_bigquery_configs          # the configs table, with its schema if need be
  [POSTGRES_OWNER]=''                                # who owns the tables and migrates them, if not POSTGRES_USER
  [MIGRATE]=yes                                      # no where the database is not reached from here: sql up and grant are then yours
  [VPC_CONNECTOR]=''                                 # the connector through which the functions reach a private address
  # Connections: what PostgreSQL has for us, and what of it people and migrations may need meanwhile.
  [POSTGRES_CONNECTIONS]=50                          # connections at most
  [CONNECTIONS_IN_RESERVE]=6                         # of those for people and migrations
  [DISPATCH_INSTANCES]=2                             # instances of dispatch at most
  [LAUNCH_INSTANCES]=3                               # instances of launch at most
  [COMPLETE_INSTANCES]=3                             # instances of complete at most
  [FORWARD_INSTANCES]=2                              # instances of forward at most
  [CONSOLE_INSTANCES]=1                              # instances of the console at most
  [CONCURRENCY]=4                                    # calls of an instance at once
  # BigQuery.
  [DATASETS]=''                                      # what the job may write: project.dataset, with commas between
  [BIGQUERY_JOB_PROJECT]=''                          # who pays for BigQuery's jobs, if not PROJECT
  [BIGQUERY_LOCATION]=US                             # where a missing dataset is made
  # Who is told by alerts.
  [ALERT_EMAIL]=''                                   # an address
  [ALERT_SLACK_CHANNEL]=''                           # a Slack channel, with the token as slack_accessToken in the environment
  [ALERT_CHANNELS]=''                                # channels that are there: projects/P/notificationChannels/N, with commas between
  [OLDEST_DUE_MINUTES]=60                            # how long a run may wait before somebody is told
  [DISPATCH_EVERY_MINUTES]=''                        # how often SCHEDULE comes, where that cannot be read from it
  # The product's own settings: handed to the functions where they are given; README.md has their defaults.
  [MAX_RUNNING]=''                                   # runs in flight at most
  [SHEETS_READS_PER_MINUTE]=''                       # the Sheets quota to keep
  [MAX_ATTEMPTS]=''                                  # attempts of a run
  [RETRY_SECONDS]=''                                 # the first wait before another attempt
  [LEASE_SECONDS]=''                                 # when to look at a silent run
  [RUN_TIMEOUT_SECONDS]=1800                         # when to end a run
  [PAUSE_AFTER_FAILURES]=''                          # failed runs in a row before a config is paused
  [SWEEP_SECONDS]=''                                 # how long a sweep stays
  [RUNS_KEPT_DAYS]=''                                # when ended runs and messages are cleaned away
  [SERVICE_TIMEOUT_SECONDS]=''                       # the older service's own time-out of a request, for forward
  [SLACK_CHANNEL]=''                                 # where SLACK_SECRET's bot tells people
  [NOTIFY_SUCCESS]=''                                # true to be told of successes, too
  [SHADOW_SUFFIX]=''                                 # what shadow runs put behind a dataset's name
  [MIGRATION_MATCHES]=''                             # comparisons in a row that a promotion needs, for the console
)
product_settings=(
  MAX_RUNNING SHEETS_READS_PER_MINUTE MAX_ATTEMPTS RETRY_SECONDS LEASE_SECONDS RUN_TIMEOUT_SECONDS
  PAUSE_AFTER_FAILURES SWEEP_SECONDS RUNS_KEPT_DAYS SLACK_CHANNEL NOTIFY_SUCCESS BIGQUERY_LOCATION BIGQUERY_JOB_PROJECT
  SHADOW_SUFFIX
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
  [[ -v setting[$name] ]] || refuse_name "$name" "$from"
  [[ $value != *[$'\n\t|']* ]] || fail "$from: $name has a line break, a tab or a '|' in it"
  [[ -z $value ]] || setting[$name]=$value
}

# A name that is no setting: what was meant, where that can be told, and how it is given.
refuse_name() {
  local name=$1 from=$2 secret='' known meant=''
  case ${name^^} in
    SLACK_ACCESSTOKEN) name=slack_accessToken secret=SLACK_SECRET ;;
    NOTIFY_WEBHOOK_URL) name=NOTIFY_WEBHOOK_URL secret=WEBHOOK_SECRET ;;
    GOOGLE_CLOUD_HKDREPORTING) name=google_cloud_hkdreporting secret=LEGACY_KEY_SECRET ;;
  esac
  [[ -z $secret ]] || fail "$from: $name is a secret: put it into Secret Manager and give its name as $secret" \
    '(README-JOB.md, "Being told")'
  [[ $name != POSTGRES_PASSWORD && $name != POSTGRES_OWNER_PASSWORD ]] ||
    fail "$from: a password is not given as a flag, which ps shows, but in the environment:" \
      "read -rs $name && export $name"
  for known in "${!setting[@]}" POSTGRES_PASSWORD; do
    if [[ ${name^^} == "$known" ]] || { [[ -z $meant ]] && is_near "${name^^}" "$known"; }; then meant=$known; fi
  done
  [[ -z $meant || $from != --* ]] || meant=--$(flag_of "$meant")
  fail "$from: there is no setting $name; ${meant:+did you mean $meant? }./deploy.sh help settings lists them"
}

# Whether two names differ by one letter (another, missing or too much) or by two that are swapped.
is_near() {
  local one=$1 other=$2
  while [[ -n $one && ${one:0:1} == "${other:0:1}" ]]; do one=${one:1} other=${other:1}; done
  while [[ -n $one && -n $other && ${one: -1} == "${other: -1}" ]]; do one=${one%?} other=${other%?}; done
  [[ ${#one} -le 1 && ${#other} -le 1 ]] || [[ ${#one} -eq 2 && $one == "${other:1}${other:0:1}" ]]
}

# Every setting with its default and its meaning, as the list above has them.
list_settings() {
  local line shape='^  \[([A-Z_]+)\]=(.*[^ ]) +# (.*)$'
  printf '%s\n' "--name=VALUE, or in the env file NAME: 'VALUE'. A variable of the shell is no setting: only secrets come from" \
    'there (POSTGRES_PASSWORD, POSTGRES_OWNER_PASSWORD, slack_accessToken). The name, the default, the meaning:'
  while IFS= read -r line && [[ $line != ')' ]]; do
    if [[ $line =~ $shape ]]; then
      printf '  %-24s %-32s %s\n' "${BASH_REMATCH[@]:1}"
    elif [[ $line == '  # '* ]]; then
      printf '\n%s\n' "${line#  # }"
    fi
  done <"${BASH_SOURCE[0]}"
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
  [[ -n ${setting[PROJECT]} ]] || fail '--project is missing: give it as --project=your-project'
  [[ -n ${setting[REGION]} ]] || fail '--region is missing: give it as --region=us-central1'
  [[ ${setting[PROJECT]} =~ ^[a-z][a-z0-9-]{4,28}[a-z0-9]$ ]] ||
    fail "--project=${setting[PROJECT]}: is not a project's id (6 to 30 of a-z, 0-9 and -)"
  # Which there are only Google knows; but all are a part of the world, a direction and a number.
  [[ ${setting[REGION]} =~ ^[a-z]+-(central|east|west|(north|south)(east|west)?)[0-9]+$ ]] ||
    fail "--region=${setting[REGION]}: is not a region, like us-central1"
  # Cloud Run's longest service name; executions and revisions add to it.
  for name in JOB_NAME DISPATCH_FUNCTION LAUNCH_FUNCTION COMPLETE_FUNCTION FORWARD_FUNCTION CONSOLE_FUNCTION SERVICE; do
    check_name "$name" '^[a-z]([a-z0-9-]{0,47}[a-z0-9])?$' 'at most 49 of a-z, 0-9 and -'
  done
  # The longest identity's name has 14 more characters, of 30.
  check_name IDENTITY_PREFIX '^[a-z][a-z0-9-]{1,14}[a-z0-9]$' '3 to 16 of a-z, 0-9 and -'
  check_name ROLE_PREFIX '^[a-zA-Z0-9_.]{3,50}$' '3 to 50 of a-z, A-Z, 0-9, _ and .'
  for name in REQUEST_TOPIC COMPLETION_TOPIC DEAD_LETTER_TOPIC FORWARD_SUBSCRIPTION PORTAL_TOPIC; do
    [[ $name != PORTAL_TOPIC || -n ${setting[$name]} ]] || continue
    check_name "$name" '^[A-Za-z][A-Za-z0-9_.~+%-]{2,254}$' '3 to 255 letters, digits and - _ . ~ + %'
    [[ ${setting[$name]} != goog* ]] || fail "$name=${setting[$name]}: a topic's name must not begin with goog"
  done
  for name in REPOSITORY SINK SCHEDULE_NAME SWEEP_SCHEDULE_NAME SUCCESS_METRIC FAILURE_METRIC PASSWORD_SECRET; do
    check_name "$name" '^[A-Za-z][A-Za-z0-9_-]{0,62}$' 'at most 63 letters, digits, _ and -'
  done
  for name in POSTGRES_PORT POSTGRES_CONNECTIONS CONNECTIONS_IN_RESERVE DISPATCH_INSTANCES LAUNCH_INSTANCES \
    COMPLETE_INSTANCES FORWARD_INSTANCES CONSOLE_INSTANCES CONCURRENCY OLDEST_DUE_MINUTES RUN_TIMEOUT_SECONDS; do
    check_name "$name" '^[1-9][0-9]{0,6}$' 'a whole number'
  done
  check_name EXECUTIONS_GRANT '^(job|project)$' 'job or project'
  check_name CONSOLE '^(yes|no)$' 'yes or no'
  check_name CONSOLE_ACCESS '^(iam|iap)$' 'iam or iap'
  [[ -z ${setting[CONSOLE_EDITORS]} ]] || check_name CONSOLE_EDITORS \
    '^(\*|[^@*,[:space:]]+)@[^@*,[:space:]]+(,(\*|[^@*,[:space:]]+)@[^@*,[:space:]]+)*$' \
    'addresses or *@example.com, with commas between'
  [[ -z ${setting[SHARE_WITH]} ]] || check_name SHARE_WITH '^[^@[:space:]]+@[^@[:space:]]+$' "a service account's address"
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
  local name needed=(POSTGRES_DB) instead=''
  check_name POSTGRES_SSLMODE '^(require|verify-full)$' 'require or verify-full: a database is not reached without TLS'
  for name in CREATE_INSTANCE MIGRATE; do check_name "$name" '^(yes|no)$' 'yes or no'; done
  if [[ -n ${setting[CLOUD_SQL_INSTANCE]} ]]; then
    check_name CLOUD_SQL_INSTANCE '^[a-z][a-z0-9-]+:[a-z0-9-]+:[a-z][a-z0-9-]*$' 'project:region:instance'
    [[ -z ${setting[POSTGRES_HOST]} ]] || fail 'CLOUD_SQL_INSTANCE and POSTGRES_HOST are both given: choose one'
  else
    needed=(POSTGRES_HOST POSTGRES_DB POSTGRES_USER) instead=' (or CLOUD_SQL_INSTANCE in place of a host)'
  fi
  [[ -n $needs_database ]] || return 0
  if [[ -n $dry_run ]]; then plan_database "${needed[@]}"; else require_database "$instead" "${needed[@]}"; fi
}

# A plan has the guide's examples where the database is not told.
plan_database() {
  local name
  for name; do
    [[ -z ${setting[$name]} ]] || continue
    setting[$name]=${placeholder[$name]}
    say "$name is not given: the plan has '${setting[$name]}' in its place"
  done
}

require_database() {
  local instead=$1 name missing='' examples=''
  shift
  for name; do
    [[ -n ${setting[$name]} ]] || missing+="${missing:+, }--$(flag_of "$name")=…"
    [[ ${setting[$name]} != "${placeholder[$name]}" ]] || examples+="${examples:+, }$name"
  done
  [[ -z $missing ]] || fail "missing: $missing; give each as a flag or in the env file$instead"
  [[ -z $examples ]] || fail "the guide's examples stand there still: put your own in place of $examples"
  check_owner
}

# Who migrates, and who verifies, logs in as somebody.
check_owner() {
  [[ $needs_database == verify || $needs_database != functions && ${setting[MIGRATE]} == yes ]] || return 0
  [[ -n ${setting[POSTGRES_OWNER]}${setting[POSTGRES_USER]} ]] ||
    fail 'POSTGRES_OWNER is missing: whose are the tables? (your own address, by IAM; it has to be a user of the' \
      'instance that may make tables), or give --migrate=no'
}

# Each invocation of a function has one connection, so that instances times concurrency bounds them.
check_connections() {
  local name instances=0 wanted said=''
  local -a counted=(DISPATCH LAUNCH COMPLETE)
  [[ -z ${setting[PORTAL_TOPIC]} ]] || counted+=(FORWARD)
  [[ ${setting[CONSOLE]} == no ]] || counted+=(CONSOLE)
  for name in "${counted[@]}"; do
    instances=$((instances + setting[${name}_INSTANCES]))
    said+="${said:+, }${name}_INSTANCES ${setting[${name}_INSTANCES]}"
  done
  wanted=$((instances * setting[CONCURRENCY] + setting[CONNECTIONS_IN_RESERVE]))
  ((wanted <= setting[POSTGRES_CONNECTIONS])) ||
    fail "the functions could open $wanted connections, $instances instances × ${setting[CONCURRENCY]} at once and" \
      "${setting[CONNECTIONS_IN_RESERVE]} in reserve, but POSTGRES_CONNECTIONS is ${setting[POSTGRES_CONNECTIONS]}:" \
      "lower one of $said, or CONCURRENCY, or raise it with PostgreSQL's max_connections"
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
