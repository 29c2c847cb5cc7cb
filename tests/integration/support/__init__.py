"""What the integration tests share: processes, servers, the CLI, SQL scripts, generated values."""
