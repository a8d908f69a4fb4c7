"""What can be started on Prefect: the typed catalogue."""
