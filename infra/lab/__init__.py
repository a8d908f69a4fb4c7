"""The embedded lab: a real single-node Kubernetes with all that the pipeline needs beside it."""
