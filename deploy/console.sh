# shellcheck shell=bash
# The console: the page where people see what runs. Never public: IAM lets people in, or Identity-Aware Proxy does.

has_console() { [[ ${setting[CONSOLE]} == yes ]]; }
is_behind_iap() { has_console && [[ ${setting[CONSOLE_ACCESS]} == iap ]]; }

add_console() {
  has_console || return 0
  components+=(console)
  with_database+=(console)
}

# For whom IAP signs what it hands on. https://cloud.google.com/iap/docs/signed-headers-howto
console_audience() {
  printf '/projects/%s/locations/%s/services/%s' "$project_number" "${setting[REGION]}" "${setting[CONSOLE_FUNCTION]}"
}

# As whom the job reads sheets. With the older service's key it is that key's account, which only who gave the key knows.
share_with() {
  if [[ -n ${setting[SHARE_WITH]}${setting[LEGACY_KEY_SECRET]} ]]; then
    printf %s "${setting[SHARE_WITH]}"
  else
    email_of job
  fi
}

# IAP itself calls the function, as this member.
iap_agent() { printf 'serviceAccount:service-%s@gcp-sa-iap.iam.gserviceaccount.com' "$project_number"; }

# People's browsers, and the proxy of `gcloud run services proxy`, are outside of Google's network: so its ingress alone is
# `all`, and who calls it is asked all the same.
deploy_console() {
  local shown
  shown=$(line_of "$(look run services list "--region=${setting[REGION]}" \
    '--format=value[separator="|"](metadata.name,metadata.annotations)')" "${setting[CONSOLE_FUNCTION]}")
  # Before the function takes people at IAM's word again: IAP hands on what a caller claims in the header that IAM checks.
  if ! is_behind_iap && [[ $shown == *iap-enabled=true* ]]; then
    change beta run services update "${setting[CONSOLE_FUNCTION]}" "--region=${setting[REGION]}" --no-iap
    tell_viewers
  fi
  deploy_function console "${setting[CONSOLE_FUNCTION]}" "${setting[CONSOLE_INSTANCES]}" 60s all
  ! is_behind_iap || put_behind_iap
}

# Looked at after each deployment of the function: whether that leaves IAP on is not documented.
put_behind_iap() {
  local name=${setting[CONSOLE_FUNCTION]} region=--region=${setting[REGION]} shown
  read_policy 'run services' "$name" "$region"
  has_line "${policies[run services/$name]}" "roles/run.invoker|$(iap_agent)|" ||
    change beta services identity create --service=iap.googleapis.com
  allow "$(iap_agent)" roles/run.invoker 'run services' "$name" "$region"
  shown=$(line_of "$(look run services list "$region" '--format=value[separator="|"](metadata.name,metadata.annotations)')" "$name")
  [[ $shown != *iap-enabled=true* ]] || return 0
  change beta run services update "$name" "$region" --iap
  tell_viewers
}

tell_viewers() {
  say "Who may see the console by $(if is_behind_iap; then printf 'Identity-Aware Proxy'; else printf IAM; fi) has to be" \
    'named: ./deploy.sh … viewer user:ann@example.com'
}

# viewer MEMBER: a person's user:…, a group:…, or a serviceAccount:….
allow_viewer() {
  local member=$1 name=${setting[CONSOLE_FUNCTION]}
  check_member viewer "$member"
  has_console || fail "viewer $member: CONSOLE is no, and so there is no page to see: leave that out"
  [[ -n $dry_run ]] || has_line "$(look functions list --v2 "--regions=${setting[REGION]}" '--format=value(name.basename())')" "$name" ||
    fail "there is no function $name in ${setting[REGION]}: deploy before you let people in"
  if is_behind_iap; then
    let_in "$member" <<<"roles/iap.httpsResourceAccessor beta iap web/$name"
    say "It is opened at $(url_of "$name")"
  else
    let_in "$member" <<<"roles/run.invoker run services/$name"
    say "It is opened by: gcloud run services proxy $name --region=${setting[REGION]} --project=${setting[PROJECT]}" \
      '--port=8088, and then http://127.0.0.1:8088'
  fi
}
