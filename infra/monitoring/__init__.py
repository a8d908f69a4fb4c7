"""Settings of Prometheus and Alertmanager: scraping, rules and routes."""
