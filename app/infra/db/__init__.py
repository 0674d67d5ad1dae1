"""PostgreSQL: tenancy, engines and the one place that commits."""
