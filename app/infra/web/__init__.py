"""The HTTP edge: errors, security headers, sign-in state, shared page helpers."""
