"""What the demonstration prints once it stands: addresses and one sign-in for each role."""

from __future__ import annotations

from app.demo.places import HARBOUR, PUJIANG
from app.demo.stack import Stack


def sign_in_lines(stack: Stack) -> list[str]:
    """The lines for the terminal; the password is the same for all, made at the first start."""
    wrote = stack.keep.phases["writing"]
    sign_ins = [
        ("administrator", "admin@harbour.example.org", HARBOUR.name),
        ("counsellor", "niamh@harbour.example.org", HARBOUR.name),
        ("client", wrote["client_sign_in"], f"{HARBOUR.name}: a choice to make"),
        # A demonstration kept from an earlier version did not note whose steps are all written.
        *(
            ("client", email, f"{HARBOUR.name}: all steps written")
            for email in [wrote.get("finished_sign_in")]
            if email
        ),
        ("analyst", "analyst@harbour.example.org", HARBOUR.name),
        ("administrator", "admin@pujiang.example.org", PUJIANG.name),
    ]
    return [
        f"Octant    {stack.public_url}",
        f"Mail      {stack.mail_url}",
        "",
        f"Password  {stack.keep.password}    (the same for every sign-in below)",
        *(f"  {role:<14} {email:<42} {place}" for role, email, place in sign_ins),
        "",
        f"The processes' own lines are in {stack.folder / 'octant.log'}. Ctrl-C stops everything; the data stay.",
    ]
