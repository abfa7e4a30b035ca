"""What every request passes, whatever its protocol: the call, admission, telemetry, metrics."""
