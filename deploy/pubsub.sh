# shellcheck shell=bash
# Topics, the subscriptions that push to functions, dead letters that somebody can read, and the sink that tells of
# ended executions.

# A function has two minutes to answer. Pauses double from ten seconds to ten minutes, so that two hours pass before
# twenty attempts are used up; what is given up waits a week, and no subscription goes away because it was idle.
delivery=(
  --ack-deadline=120 --min-retry-delay=10s --max-retry-delay=600s --max-delivery-attempts=20
  --message-retention-duration=7d --expiration-period=never
)
subscription_format='value[separator="|"](name.basename(),topic.basename(),ackDeadlineSeconds,retryPolicy.minimumBackoff,retryPolicy.maximumBackoff,messageRetentionDuration,expirationPolicy.ttl,deadLetterPolicy.deadLetterTopic.basename(),deadLetterPolicy.maxDeliveryAttempts,pushConfig.pushEndpoint,pushConfig.oidcToken.serviceAccountEmail,pushConfig.oidcToken.audience)'

subscriptions_there=''

# Pub/Sub itself moves dead letters, as this member.
pubsub_agent() { printf 'serviceAccount:service-%s@gcp-sa-pubsub.iam.gserviceaccount.com' "$project_number"; }

make_topics() {
  local there topic component
  there=$(look pubsub topics list '--format=value(name.basename())')
  for topic in "${setting[REQUEST_TOPIC]}" "${setting[COMPLETION_TOPIC]}" "${setting[DEAD_LETTER_TOPIC]}"; do
    has_line "$there" "$topic" || change pubsub topics create "$topic" "--labels=$our_labels"
  done
  # launch admits further runs, too, and so publishes their requests.
  for component in dispatch launch complete; do
    allow "$(member_of "$component")" roles/pubsub.publisher 'pubsub topics' "${setting[REQUEST_TOPIC]}"
  done
  allow "$(member_of job)" roles/pubsub.publisher 'pubsub topics' "${setting[COMPLETION_TOPIC]}"
  ! has_portal || allow_forward
  # People's requests, by the console's buttons.
  ! has_console || allow "$(member_of console)" roles/pubsub.publisher 'pubsub topics' "${setting[REQUEST_TOPIC]}"
  make_dead_letters
}

# Without a subscription that keeps them, dead letters would be lost.
make_dead_letters() {
  local topic=${setting[DEAD_LETTER_TOPIC]} there agent line
  there=$(look pubsub subscriptions list "--format=$subscription_format")
  line=$(line_of "$there" "$topic")
  if [[ -z $line ]]; then
    change pubsub subscriptions create "$topic" "--topic=$topic" --message-retention-duration=7d \
      --expiration-period=never "--labels=$our_labels"
  elif [[ $line != "$topic|$topic|"*'|604800s||||||' ]]; then
    change pubsub subscriptions update "$topic" --message-retention-duration=7d --expiration-period=never
  fi
  agent=$(pubsub_agent)
  read_policy 'pubsub topics' "$topic"
  has_line "${policies[pubsub topics/$topic]}" "roles/pubsub.publisher|$agent|" ||
    change beta services identity create --service=pubsub.googleapis.com
  allow "$agent" roles/pubsub.publisher 'pubsub topics' "$topic"
}

make_subscriptions() {
  subscriptions_there=$(look pubsub subscriptions list "--format=$subscription_format")
  make_subscription "${setting[REQUEST_TOPIC]}" launch "${setting[LAUNCH_FUNCTION]}"
  make_subscription "${setting[COMPLETION_TOPIC]}" complete "${setting[COMPLETE_FUNCTION]}"
  make_portal_subscription
}

# The subscription of a topic, by the topic's name, pushes to a function as an identity that may call only that one.
# The endpoint's path names the topic: functions-framework makes the event's source of it.
make_subscription() {
  local topic=$1 function=$3 identity url endpoint line wanted dead=${setting[DEAD_LETTER_TOPIC]}
  local -a push
  identity=$(email_of "push-$2")
  url=$(url_of "$function")
  endpoint=$url/projects/${setting[PROJECT]}/topics/$topic
  push=("--push-endpoint=$endpoint" "--push-auth-service-account=$identity" "--push-auth-token-audience=$url")
  allow "serviceAccount:$identity" roles/run.invoker 'run services' "$function" "--region=${setting[REGION]}"
  # Where a project's Pub/Sub is older than April 2021, its own role does not let it sign as another identity.
  allow "$(pubsub_agent)" roles/iam.serviceAccountTokenCreator 'iam service-accounts' "$identity"
  line=$(line_of "$subscriptions_there" "$topic")
  wanted="$topic|$topic|120|10s|600s|604800s||$dead|20|$endpoint|$identity|$url"
  if [[ -z $line ]]; then
    change pubsub subscriptions create "$topic" "--topic=$topic" "${delivery[@]}" "--dead-letter-topic=$dead" \
      "${push[@]}" "--labels=$our_labels"
  elif [[ $line != "$wanted" ]]; then
    [[ $line == "$topic|$topic|"* ]] || fail "the subscription $topic is another topic's: delete it, or choose another name"
    change pubsub subscriptions update "$topic" "${delivery[@]}" "--dead-letter-topic=$dead" "${push[@]}"
  fi
  allow "$(pubsub_agent)" roles/pubsub.subscriber 'pubsub subscriptions' "$topic"
}

# Cloud Logging publishes the entry of each ended execution, also of those that never started or ran out of memory.
make_sink() {
  local sink=${setting[SINK]} there destination filter writer
  destination=pubsub.googleapis.com/projects/${setting[PROJECT]}/topics/${setting[COMPLETION_TOPIC]}
  filter=$(ended_filter)
  there=$(look logging sinks list '--format=value[separator="|"](name,destination,filter)')
  if [[ -z $(line_of "$there" "$sink") ]]; then
    change logging sinks create "$sink" "$destination" "--log-filter=$filter" "--description=$made_by"
  elif [[ $(line_of "$there" "$sink") != "$sink|$destination|$filter" ]]; then
    change logging sinks update "$sink" "$destination" "--log-filter=$filter"
  fi
  writer=$(ask logging sinks describe "$sink" '--format=value(writerIdentity)')
  allow "$writer" roles/pubsub.publisher 'pubsub topics' "${setting[COMPLETION_TOPIC]}"
}

ended_filter() {
  printf '%s' 'log_id("cloudaudit.googleapis.com/system_event") AND resource.type="cloud_run_job"' \
    " AND resource.labels.job_name=\"${setting[JOB_NAME]}\"" \
    ' AND protoPayload.serviceName="run.googleapis.com" AND protoPayload.methodName="/Jobs.RunJob"'
}
