"""The flows, each a paragraph to read; Prefect runs them."""

import logging

# Prefect shows these lines with the run; its default for foreign loggers is WARNING
logging.getLogger("tasks").setLevel(logging.INFO)
