"""Google's Cloud Run Admin API v2 for jobs, over REST, that runs a job's tasks as processes on this machine.

The specification is the discovery document `run.v2.json` that google-api-python-client ships; what that
leaves open (messages, conditions, the order of things) follows what the service was seen to do.

    local.run --port N --data DIR --job-file JOB.json
      job.py        a deployed job, read from its file
      overrides.py  what a RunJob request may change for one execution
      execution.py  an execution and its tasks: their states and nothing else
      resource.py   jobs, executions, tasks and operations as the API shows them
      store.py      executions on disk
      process.py    one attempt of a task as a process group
      runner.py     runs executions: slots, time-outs, retries, cancelling
      audit_log.py  the log entry that announces an execution's end, published as a log sink would
      service.py    what the API's methods do, apart from HTTP
      app.py        the HTTP routes
"""
