#!/usr/bin/env bash
# Takes a Google Cloud project to the running system. It can be run again at any time: it makes what is missing, changes
# what differs, deletes nothing, and goes on where it stopped.
#
#   ./deploy.sh --project=P --region=R [--env-file=FILE] [--SETTING=VALUE…] [--dry-run] [COMMAND]
#
# Without a COMMAND it does everything: services, identities, secrets, topics, database, job, functions, subscriptions,
# schedule, monitoring. --dry-run prints each command on a line of its own, to be pasted after `stage`, and needs nothing
# but these two flags. --SETTING is any that `./deploy.sh help settings` lists (--postgres-host=… is POSTGRES_HOST);
# --env-file takes the guide's orchestrator-env.yaml; the shell's environment gives secrets alone. Parts, each with what
# it needs already there:
#
#   stage [NAME…]            build/NAME/ for each function (all of them without a NAME), which is what ships, what the
#                            local system runs, and what one function alone is started from; needs no project:
#                            functions-framework --source build/launch/main.py --target launch
#   database                 Cloud SQL's database and users, `python -m sql up`, the functions' grants
#   job                      repository, Cloud Run Job, its image
#   functions                the functions and the subscriptions that push to them
#   schedule                 Cloud Scheduler's two jobs
#   monitoring               metrics, alerts, dashboard, channels
#   pause, resume            both scheduler jobs
#   portal [--back]          the messages of the older service's portal (PORTAL_TOPIC) go to forward, or back to the
#                            service: one of the two subscriptions pushes, the other is paused
#   viewer MEMBER            lets user:…, group:… or serviceAccount:… see the console's pages, and act there
#   migrator MEMBER          lets user:…, group:… or serviceAccount:… run migrate.py
#   service-traffic PERCENT  the older service's share of its traffic
#   verify [--sheet=URL]     one run of a canary config through the project
#   destroy --yes            takes back what deploy.sh made; tables, configs and the database stay
#
# BUILD_FOLDER says where to stage, if not in build/.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
called_from=$PWD
build=${BUILD_FOLDER:-$root/build}
[[ $build == /* ]] || build=$called_from/$build
# As gcloud is told it, from the repository's folder.
shown_build=${build#"$root"/}
dry_run='' confirmed='' back='' needs_database='' sheet='' database_place=()

source "$root/deploy/gcloud.sh"
source "$root/deploy/settings.sh"
source "$root/deploy/apis.sh"
source "$root/deploy/checks.sh"
source "$root/deploy/identities.sh"
source "$root/deploy/secrets.sh"
source "$root/deploy/pubsub.sh"
source "$root/deploy/portal.sh"
source "$root/deploy/datasets.sh"
source "$root/deploy/record.sh"
source "$root/deploy/people.sh"
source "$root/deploy/migrator.sh"
source "$root/deploy/console.sh"
source "$root/deploy/job.sh"
source "$root/deploy/functions.sh"
source "$root/deploy/database.sh"
source "$root/deploy/schedule.sh"
source "$root/deploy/metrics.sh"
source "$root/deploy/monitoring.sh"
source "$root/deploy/traffic.sh"
source "$root/deploy/verify.sh"
source "$root/deploy/destroy.sh"

usage() { sed -n '2,/^set /{ /^#/ s/^# \{0,1\}//p }' "${BASH_SOURCE[0]}"; }

# Flags first, in any order with the command's words; what they name goes before what the env file says.
read_arguments() {
  local argument name env_file=''
  local -A given=()
  for argument; do
    case $argument in
      --dry-run) dry_run=yes ;;
      --yes) confirmed=yes ;;
      --back) back=yes ;;
      --help | -h) words=(help); return ;;
      --sheet=*) sheet=${argument#*=} ;;
      --env-file=*) env_file=${argument#*=} ;;
      --[a-z]*=*)
        name=${argument%%=*} && name=${name#--} && name=${name^^}
        given[${name//-/_}]=${argument#*=}
        ;;
      -*) fail "$argument: is not understood; a setting is given as --name=value (./deploy.sh help)" ;;
      *) words+=("$argument") ;;
    esac
  done
  [[ -z $env_file || $env_file == /* ]] || env_file=$called_from/$env_file
  [[ -z $env_file ]] || read_env_file "$env_file"
  for name in "${!given[@]}"; do set_setting "$name" "${given[$name]}" "--$(flag_of "$name")"; done
}

everything() {
  enable_apis
  make_identities
  make_secrets
  make_topics
  make_database
  deploy_job
  make_sink
  deploy_functions
  make_subscriptions
  make_schedule
  make_monitoring
}

# What a command does, once it is known that it can be done.
act() {
  case ${1:-everything} in
    everything) everything ;;
    database) make_database ;;
    job) deploy_job; make_sink ;;
    functions) deploy_functions; make_subscriptions ;;
    schedule) make_schedule ;;
    monitoring) make_monitoring ;;
    pause) pause_or_resume pause PAUSED ;;
    resume) pause_or_resume resume ENABLED ;;
    portal) switch_portal ;;
    migrator) allow_migrator "${2:-}" ;;
    viewer) allow_viewer "${2:-}" ;;
    service-traffic) set_service_traffic "${2:-}" ;;
    verify) verify "$sheet" ;;
    destroy) destroy ;;
    *) fail "unknown command '$1'; ./deploy.sh help lists them" ;;
  esac
}

main() {
  local -a words=()
  read_arguments "$@"
  case ${words[0]:-} in
    help) if [[ ${words[1]:-} == settings ]]; then list_settings; else usage; fi; return ;;
    stage) stage "${words[@]:1}"; return ;;
    '' | functions | database | verify) needs_database=${words[0]:-everything} ;;
  esac
  if [[ $# -eq 0 ]]; then usage >&2; exit 2; fi
  check_settings
  find_database
  add_console
  add_portal
  cd "$root"
  export CLOUDSDK_CORE_DISABLE_PROMPTS=1
  trap 'exit 1' TERM # from `stopped`, in a shell that was asked for a value
  check_project
  check_command "${words[0]:-everything}"
  act "${words[@]}"
  if [[ -n $dry_run || ${words[0]:-} == verify ]]; then return; fi
  if ((changes > 0)); then say "$changes changes: done"; else say 'Nothing to change'; fi
}

main "$@"
