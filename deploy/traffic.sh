# shellcheck shell=bash
# The older service's traffic, for the last phase of the migration and for going back.

# Cloud Run serves all of a service's traffic with some revision: what the latest one loses goes to those that had some
# before. With one revision alone nothing is there to take it, and Cloud Run refuses.
set_service_traffic() {
  local percent=$1 service=${setting[SERVICE]} serving
  [[ $percent =~ ^(100|[1-9]?[0-9])$ ]] || fail "service-traffic $percent: is not a percentage from 0 to 100"
  if [[ -z $dry_run ]]; then
    has_line "$(look run services list "--region=${setting[REGION]}" '--format=value(metadata.name)')" "$service" ||
      fail "there is no service $service in ${setting[REGION]}: correct --service or --region"
  fi
  serving=$(look run services describe "$service" "--region=${setting[REGION]}" '--flatten=status.traffic[]' \
    '--format=value[separator="|"](status.traffic.latestRevision,status.traffic.revisionName,status.traffic.percent)')
  if [[ -z $dry_run ]]; then
    say "Before: ${serving//$'\n'/, } (latest|revision|percent)"
    [[ $percent == 100 || $serving == *$'\n'* || $serving != True* ]] ||
      fail "$service has only its latest revision: nothing could take the other $((100 - percent)) %." \
        'Stop what calls it instead (its push subscription), or deploy a revision that only answers 200 and then' \
        "this one again, and give that one some traffic"
  fi
  if [[ $percent == 100 ]]; then
    [[ $serving == 'True||100' ]] || change run services update-traffic "$service" --to-latest "--region=${setting[REGION]}"
  else
    change run services update-traffic "$service" "--to-revisions=LATEST=$percent" "--region=${setting[REGION]}"
    say "To give it everything back: ./deploy.sh --project=${setting[PROJECT]} --region=${setting[REGION]} service-traffic 100"
  fi
}
