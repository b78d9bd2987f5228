"""The owner's guide's two log-based metrics, as its step 7 has them: people have alerts that are built on them."""

JOB = "sheettobigquery-job"
SUCCESS = """resource.type="cloud_run_job"
    AND resource.labels.job_name="sheettobigquery-job"
    AND textPayload:"Job completed successfully\""""
FAILURE = """resource.type="cloud_run_job"
    AND resource.labels.job_name="sheettobigquery-job"
    AND (textPayload:"Job execution failed" OR severity="ERROR")"""
