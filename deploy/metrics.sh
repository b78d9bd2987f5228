# shellcheck shell=bash
# Log-based metrics: the guide's two, by its names and filters, and what more there is to see in the log lines.

# Each metric's description, by its name; with our mark, so that destroy knows it from one that somebody made by hand.
declare -A metric_description=()
metrics_there=''

# What describe_metrics says, made or changed.
make_metrics() {
  # The filter last but one: one that was made by hand has several lines.
  metrics_there=$(look logging metrics list '--format=value[separator="|"](name,description,filter,valueExtractor)')
  each_metric make_metric
}

describe_metrics() { each_metric describe_metric; }

# One line a metric: NAME DESCRIPTION FILTER, and of those that measure UNIT EXTRACTOR.
each_metric() {
  local job functions dispatch launch complete others measured service=resource.labels.service_name prefix=sheet_to_bigquery
  job="resource.type=\"cloud_run_job\" AND resource.labels.job_name=\"${setting[JOB_NAME]}\""
  functions='resource.type="cloud_run_revision" AND'
  dispatch="$service=\"${setting[DISPATCH_FUNCTION]}\""
  launch="$service=\"${setting[LAUNCH_FUNCTION]}\""
  complete="$service=\"${setting[COMPLETE_FUNCTION]}\""
  others="$service=\"${setting[FORWARD_FUNCTION]}\" OR $service=\"${setting[CONSOLE_FUNCTION]}\""
  measured="$functions $dispatch AND jsonPayload.message=\"measured\"" # by the sweep, every minute
  "$1" "${setting[SUCCESS_METRIC]}" 'Successful Sheet to BigQuery job executions' \
    "$job AND textPayload:\"Job completed successfully\""
  "$1" "${setting[FAILURE_METRIC]}" 'Failed Sheet to BigQuery job executions' \
    "$job AND (textPayload:\"Job execution failed\" OR severity=\"ERROR\")"
  "$1" ${prefix}_quota_waits 'Reads that had to wait because the Sheets quota was used up' \
    "$job AND jsonPayload.message=\"retried a read\" AND jsonPayload.reason=\"QuotaExceeded\""
  "$1" ${prefix}_dispatches 'Calls of dispatch that did their work' "$functions $dispatch AND jsonPayload.message=\"dispatched\""
  "$1" ${prefix}_poison 'Messages that nobody understood' \
    "$functions ($launch OR $complete) AND jsonPayload.message=\"poison\""
  "$1" ${prefix}_function_errors 'Errors of the functions, the console among them' \
    "$functions ($dispatch OR $launch OR $complete OR $others) AND severity=\"ERROR\""
  "$1" ${prefix}_run_seconds 'How long runs took, from when they were due to their end' \
    "$functions ($dispatch OR $launch OR $complete) AND (jsonPayload.message=\"succeeded\" OR jsonPayload.message=\"failed\")" \
    s 'EXTRACT(jsonPayload.seconds_since_due)'
  "$1" ${prefix}_read_seconds 'How long executions read their sheets' "$job AND jsonPayload.job_id:*" s \
    'EXTRACT(jsonPayload.seconds.read)'
  "$1" ${prefix}_load_seconds 'How long executions loaded their tables' "$job AND jsonPayload.job_id:*" s \
    'EXTRACT(jsonPayload.seconds.load)'
  "$1" ${prefix}_rows 'Rows of the loads' "$job AND jsonPayload.job_id:*" 1 'EXTRACT(jsonPayload.rows)'
  "$1" ${prefix}_backlog 'Runs that wait' "$measured" 1 'EXTRACT(jsonPayload.waiting)'
  "$1" ${prefix}_oldest_due_seconds 'Age of the oldest run that has not ended' "$measured" s \
    'EXTRACT(jsonPayload.oldest_due_seconds)'
  "$1" ${prefix}_connections 'Connections to the database' "$measured" 1 'EXTRACT(jsonPayload.connections)'
}

describe_metric() { metric_description[$1]="$2. $made_by."; }

make_metric() {
  local name=$1 filter=$3 unit=${4:-} extractor=${5:-} verb=update line description
  local -a marked=()
  describe_metric "$@"
  description=${metric_description[$name]}
  line=$(line_of "$metrics_there" "$name")
  [[ $line != "$name|"*"|$filter|$extractor" ]] || return 0
  # One that somebody made by hand gets our filter and stays theirs, which destroy leaves alone.
  if [[ -z $line ]]; then verb=create; else description=${line#"$name|"} && description=${description%%|*}; fi
  if [[ -z $extractor ]]; then
    [[ -n $line ]] || marked=("--description=$description")
    change logging metrics "$verb" "$name" "${marked[@]}" "--log-filter=$filter"
    return
  fi
  description=${description//\\/\\\\}
  # Buckets of half an octave: from a second to a year, from a row to thirty million.
  change_from "$(printf '{"name": "%s", "description": "%s", "filter": "%s", "valueExtractor": "%s", %s, %s}' \
    "$name" "${description//\"/\\\"}" "${filter//\"/\\\"}" "$extractor" \
    "\"metricDescriptor\": {\"metricKind\": \"DELTA\", \"valueType\": \"DISTRIBUTION\", \"unit\": \"$unit\"}" \
    '"bucketOptions": {"exponentialBuckets": {"numFiniteBuckets": 50, "growthFactor": 1.4142, "scale": 1}}')" \
    logging metrics "$verb" "$name" --config-from-file=-
}
