"""Keys from HashiCorp Vault: `vault:PATH#FIELD`, of a KV engine of version 1 or 2.

Requests and answers by the HTTP API of Vault (KV 1 and 2, auth methods AppRole and Kubernetes), as hvac 2.4 sends and
reads them; read 2026-11-22.
"""

from byollm_secrets_vault.store import Vault

__all__ = ["Vault"]
