"""Field settings: YAML in, typed settings out, all errors at once."""
