"""Many runs: what is compared, a job, the sweep over cores or a cluster, the folder, the table."""
