"""A Google Cloud project, played for the gcloud and bq shims."""
