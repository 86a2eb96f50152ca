"""The signature policy in force: the file that a deployment gives, else Decree 30/2020/NĐ-CP as it stands.

Every policy that was ever in force is kept in the database under the digest that verdicts name.
"""

from datetime import datetime
from pathlib import Path

from exchange.rules import policy, policy_file
from exchange.store import policies
from exchange.store.pool import Connection


def load(path: Path | None) -> policy.Policy:
    """The policy of that file. Raises PolicyError with every mistake, OSError for a file that cannot be read."""
    return policy_file.read(path.read_bytes()) if path else policy.DEFAULT


async def keep(connection: Connection, given: policy.Policy, at: datetime) -> None:
    """Keep a policy that comes into force."""
    await policies.keep(connection, given.sha256, given.text, at)
