# shellcheck shell=bash
# The older service's portal: forward takes its messages in the service's place, or gives them back. Two subscriptions of
# its topic push: the portal's own to the service, and ours to forward. One of them pushes, and the other is paused: it
# then keeps what comes, and pushes nothing. `portal` and `portal --back` alone change which; a deployment tells it.

direct_format='value[separator="|"](name.basename(),topic.basename(),pushConfig.pushEndpoint,pushConfig.oidcToken.serviceAccountEmail,pushConfig.oidcToken.audience)'
# The subscriptions of the topic that push to the service, a line each; whether ours pushes; filled by look_at_portal.
directs='' ours_pushes=''

has_portal() { [[ -n ${setting[PORTAL_TOPIC]} ]]; }

# With a portal there is one more component, and one more identity that calls it.
add_portal() {
  has_portal || return 0
  components+=(forward push-forward)
  with_database+=(forward)
}

service_url() {
  if [[ -n ${setting[SERVICE_URL]} ]]; then printf %s "${setting[SERVICE_URL]%/}"; return; fi
  ask run services describe "${setting[SERVICE]}" "--region=${setting[REGION]}" '--format=value(status.url)'
}

# Before the first change: both ends are somebody else's, and have to be there.
check_portal() {
  has_portal || return 0
  has_line "$(look pubsub topics list '--format=value(name.basename())')" "${setting[PORTAL_TOPIC]}" ||
    fail "PORTAL_TOPIC=${setting[PORTAL_TOPIC]}: there is no such topic in ${setting[PROJECT]};" \
      'gcloud pubsub subscriptions list tells what pushes to the older service, and of which topic'
  is_service_here || [[ -n ${setting[SERVICE_URL]} ]] ||
    fail "there is no service ${setting[SERVICE]} in ${setting[REGION]}: correct --service, or give its address as --service-url=https://…"
}

is_service_here() { is_service "${setting[SERVICE]}"; }

# Forward may call the service, and tell launch what is the job's.
allow_forward() {
  allow "$(member_of forward)" roles/pubsub.publisher 'pubsub topics' "${setting[REQUEST_TOPIC]}"
  if [[ -n $dry_run ]] || is_service_here; then
    allow "$(member_of forward)" roles/run.invoker 'run services' "${setting[SERVICE]}" "--region=${setting[REGION]}"
  else
    say "The older service is elsewhere: let $(email_of forward) call it there (roles/run.invoker)"
  fi
}

look_at_portal() {
  local line name topic endpoint url
  directs='' ours_pushes=''
  url=$(service_url)
  while IFS= read -r line; do
    IFS='|' read -r name topic endpoint _ <<<"$line"
    [[ $topic == "${setting[PORTAL_TOPIC]}" && -n $endpoint ]] || continue
    if [[ $name == "${setting[FORWARD_SUBSCRIPTION]}" ]]; then
      ours_pushes=yes
    elif [[ $endpoint == "$url" || $endpoint == "$url/"* ]]; then
      directs+=${directs:+$'\n'}$line
    else
      say "$name of the portal's topic pushes elsewhere, to $endpoint: it is left as it is"
    fi
  done <<<"$(look pubsub subscriptions list "--format=$direct_format")"
}

# Forward's own subscription, which pushes nothing before `portal` says so; one that pushes goes on.
make_portal_subscription() {
  local command="./deploy.sh --project=${setting[PROJECT]} --region=${setting[REGION]} --portal-topic=${setting[PORTAL_TOPIC]} portal"
  has_portal || return 0
  look_at_portal
  make_forward_subscription
  if [[ -n $dry_run ]]; then return; fi
  case $ours_pushes/${directs:+direct} in
    yes/) say "The portal's messages go to forward" ;;
    yes/direct) say "The portal's messages go to forward AND to the older service, which loads each twice: $command" ;;
    /direct) say "The portal's messages go to the older service; to have forward take them: $command" ;;
    /) say "The portal's messages go to nobody, and wait: $command, or $command --back" ;;
  esac
}

# Ten minutes, the longest that Pub/Sub waits: forward waits for the older service's answer.
make_forward_subscription() {
  local name=${setting[FORWARD_SUBSCRIPTION]} line wanted
  local -a options=("${delivery[@]}" "--dead-letter-topic=${setting[DEAD_LETTER_TOPIC]}")
  options[0]=--ack-deadline=600
  allow "$(member_of push-forward)" roles/run.invoker 'run services' "${setting[FORWARD_FUNCTION]}" "--region=${setting[REGION]}"
  allow "$(pubsub_agent)" roles/iam.serviceAccountTokenCreator 'iam service-accounts' "$(email_of push-forward)"
  line=$(line_of "$subscriptions_there" "$name")
  wanted="$name|${setting[PORTAL_TOPIC]}|600|10s|600s|604800s||${setting[DEAD_LETTER_TOPIC]}|20|"
  if [[ -z $line ]]; then
    change pubsub subscriptions create "$name" "--topic=${setting[PORTAL_TOPIC]}" "${options[@]}" "--labels=$our_labels"
  elif [[ $line != "$wanted"* ]]; then
    [[ $line == "$name|${setting[PORTAL_TOPIC]}|"* ]] ||
      fail "the subscription $name is another topic's: delete it, or give another --forward-subscription"
    change pubsub subscriptions update "$name" "${options[@]}"
  fi
  allow "$(pubsub_agent)" roles/pubsub.subscriber 'pubsub subscriptions' "$name"
}

# `portal` and `portal --back`. What is told of a step left half done holds for the next call, which goes on.
switch_portal() {
  local line
  has_portal || fail "portal needs the portal's topic: --portal-topic=…"
  read_record
  subscriptions_there=$(look pubsub subscriptions list "--format=$subscription_format")
  [[ -n $dry_run || -n $(line_of "$subscriptions_there" "${setting[FORWARD_SUBSCRIPTION]}") ]] ||
    fail "there is no subscription ${setting[FORWARD_SUBSCRIPTION]}: deploy with --portal-topic=${setting[PORTAL_TOPIC]} first"
  look_at_portal
  [[ $directs != *$'\n'* ]] || fail "several subscriptions push to the older service:" "${directs//$'\n'/, };" \
    'pause all but one (gcloud pubsub subscriptions modify-push-config NAME --push-endpoint=)'
  line=${directs:-${recorded[PORTAL_DIRECT]}}
  if [[ -n $back ]]; then give_back "$line"; else take_over "$line"; fi
}

# First the service's subscription is noted in the job's variables, then it is paused, then ours pushes: what comes in
# between waits in ours.
take_over() {
  local direct=$1 name=${1%%|*}
  if [[ -n $directs ]]; then
    recorded[PORTAL_DIRECT]=${direct//|/,}
    make_job
    [[ -n $ours_pushes ]] || skip_what_is_old "${setting[FORWARD_SUBSCRIPTION]}" 'a minute ago'
    change pubsub subscriptions modify-push-config "$name" --push-endpoint=
    say "What $name could not deliver until now waits in it: gcloud pubsub subscriptions pull $name --limit=100 shows it;" \
      'publish it again if it matters'
  elif [[ -z $dry_run && -z $ours_pushes && -z ${recorded[PORTAL_DIRECT]} ]]; then
    say "No subscription of ${setting[PORTAL_TOPIC]} pushes to the older service: forward takes what comes from now on"
  fi
  [[ -n $ours_pushes ]] || push_to_forward
}

push_to_forward() {
  local url
  url=$(url_of "${setting[FORWARD_FUNCTION]}")
  change pubsub subscriptions modify-push-config "${setting[FORWARD_SUBSCRIPTION]}" \
    "--push-endpoint=$url/projects/${setting[PROJECT]}/topics/${setting[PORTAL_TOPIC]}" \
    "--push-auth-service-account=$(email_of push-forward)" "--push-auth-token-audience=$url"
}

# Ours is paused, then the service's pushes again, as it was noted. It has kept all that came meanwhile: what is older
# than two hours, which is as long as forward tries, is skipped; the rest is delivered once more, and loads once more.
give_back() {
  local name endpoint identity audience _
  local -a push
  [[ -n $1 || -n $dry_run ]] || fail "no subscription is known that pushed to the older service: make one, or point one at it" \
    "(gcloud pubsub subscriptions modify-push-config NAME --push-endpoint=$(service_url)/sheet-to-bigquery)"
  IFS=, read -r name _ endpoint identity audience <<<"${1//|/,}"
  if [[ -n $ours_pushes || -n $dry_run ]]; then
    change pubsub subscriptions modify-push-config "${setting[FORWARD_SUBSCRIPTION]}" --push-endpoint=
  fi
  [[ -z $directs ]] || return 0
  push=("--push-endpoint=${endpoint:-https://your-service/sheet-to-bigquery}")
  [[ -z $identity ]] || push+=("--push-auth-service-account=$identity")
  [[ -z $audience ]] || push+=("--push-auth-token-audience=$audience")
  skip_what_is_old "${name:-your-subscription}" '2 hours ago'
  change pubsub subscriptions modify-push-config "${name:-your-subscription}" "${push[@]}"
}

skip_what_is_old() { change pubsub subscriptions seek "$1" "--time=$(date -u -d "$2" +%Y-%m-%dT%H:%M:%SZ)"; }
