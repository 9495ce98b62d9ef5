"""Keys from AWS Secrets Manager: `aws:NAME` or `aws:ARN`, with `#FIELD` for one field of a JSON secret.

One request, `GetSecretValue` of the JSON protocol, signed by Signature Version 4, as botocore 1.44.5 sends it; read
2026-11-22.
"""

from byollm_secrets_aws.store import SecretsManager

__all__ = ["SecretsManager"]
