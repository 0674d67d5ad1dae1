"""The statements of a roster import: compare with the clients, take rows, give them back. Set-based throughout.

Each takes the good rows of packed chunks as `u`, a row per line, and works on thousands at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CursorResult, Uuid, cast, func, select, text

from app.features.audit.service import record_each
from app.features.clients.roster_check import PACKED
from app.features.clients.roster_fields import ATTRIBUTE
from app.infra.db.open import UnitOfWork

_NAMES = (
    "line",
    "external_id",
    "external_folded",
    "given_name",
    "given_folded",
    "family_name",
    "family_folded",
    "email",
    "email_folded",
    "time_zone",
    "locale",
    "active",
    "counsellor",
    "attributes",
)
_SEPARATOR = r"E'\x1f'"
_TABLES = ", ".join(f"string_to_table(k.{packed}, {_SEPARATOR})" for packed in PACKED)
# A row's digest covers what the file says of it, and which fields the file has at all.
_DIGEST = (
    f"sha256(convert_to(concat_ws({_SEPARATOR}, CAST(:fields AS text), r.external_id, r.given_name, r.family_name,"
    " r.email, r.time_zone, r.locale, r.active, r.counsellor, r.attributes), 'UTF8'))"
)


_DIGEST_OF = "CASE WHEN c.id IS NULL THEN NULL ELSE " + _DIGEST + " END"


def _good(chunks: str) -> str:
    # NOT IN becomes one hashed look-up; the lines of bad rows are never null.
    return (
        f" WHERE {chunks} AND r.external_id <> '' AND r.line::int NOT IN (SELECT b.line FROM roster_rows b"
        " WHERE b.import_id = :import AND b.outcome = 'bad')"
    )


def _rows(columns: str, chunks: str) -> str:
    """The good rows of these chunks; `columns` of `r` (and of the chunk `k`)."""
    return (
        f"SELECT {columns} FROM roster_chunks k"
        f" CROSS JOIN LATERAL ROWS FROM ({_TABLES}) AS r({', '.join(_NAMES)})" + _good(chunks)
    )


_OF_FILE = "k.import_id = :import AND NOT k.missing"
_LINES = (
    "SELECT k.id AS chunk_id, r.line::int AS line, r.external_id, r.email_folded FROM roster_chunks k"
    f" CROSS JOIN LATERAL ROWS FROM (string_to_table(k.lines, {_SEPARATOR}),"
    f" string_to_table(k.external_ids, {_SEPARATOR}), string_to_table(k.emails_folded, {_SEPARATOR}))"
    " AS r(line, external_id, email_folded)" + _good(_OF_FILE)
)
_TAKEN_CHUNK = f"u AS MATERIALIZED ({_rows(f'k.id AS chunk_id, r.*, {_DIGEST} AS digest', 'k.id = :chunk')})"
# One random id a chunk and the line below it: an id of version 7 each would cost a system call a row.
_CLIENT_ID = "(base.id || lpad(to_hex(u.line::int), 12, '0'))::uuid"
_KNOWN = (
    "SELECT count(*) AS good, count((SELECT 1 FROM clients c WHERE c.external_id = r.external_id LIMIT 1)) AS known"
    f" FROM roster_chunks k, string_to_table(k.external_ids, {_SEPARATOR}) AS r(external_id)"
    " WHERE k.id = :chunk AND r.external_id <> ''"
)

_TWICE = (
    "SELECT u.line, u.chunk_id, u.external_id, jsonb_build_array(CAST(:{header} AS text),"
    " replace(:{sentence}, '%(place)s', o.place), u.{key}, jsonb_build_object('say', CAST(:{sentence} AS text),"
    " 'with', jsonb_build_object('place', o.place))) AS problem FROM u JOIN"
    " (SELECT {key}, array_agg(line ORDER BY line) AS lines FROM u WHERE {key} <> '' GROUP BY {key}"
    " HAVING count(*) > 1) d USING ({key})"
    " CROSS JOIN LATERAL (SELECT array_to_string((array_remove(d.lines, u.line))[1:3], ', ') AS place) o"
)
_TAKEN_EMAIL = (
    "SELECT u.line, u.chunk_id, u.external_id, jsonb_build_array(CAST(:email_header AS text),"
    " replace(:taken_email, '%(place)s', min(c.external_id)), u.email_folded, jsonb_build_object("
    "'say', CAST(:taken_email AS text), 'with', jsonb_build_object('place', min(c.external_id))))"
    " FROM u JOIN clients c ON c.email_folded = u.email_folded AND c.external_id <> u.external_id AND c.active"
    " WHERE u.email_folded <> '' AND NOT EXISTS (SELECT 1 FROM u same WHERE same.external_id = c.external_id)"
    " GROUP BY u.line, u.chunk_id, u.external_id, u.email_folded"
)
_MARK = (
    "WITH u AS MATERIALIZED ("
    + _LINES
    + "), p AS ("
    + _TWICE.format(key="external_id", header="id_header", sentence="same_id")
    + " UNION ALL "
    + _TWICE.format(key="email_folded", header="email_header", sentence="same_email")
    + " UNION ALL "
    + _TAKEN_EMAIL
    + ") INSERT INTO roster_rows (import_id, line, chunk_id, external_id, outcome, problems)"
    " SELECT :import, line, chunk_id, external_id, 'bad', jsonb_agg(problem)"
    " FROM p GROUP BY line, chunk_id, external_id"
)
_COUNTS = (
    "WITH u AS MATERIALIZED ("
    + _rows(
        f"r.email_folded, r.active, c.id, c.row_digest, c.email_folded AS email_now, c.active AS active_now,"
        f" {_DIGEST_OF} AS digest",
        _OF_FILE,
    ).replace(" WHERE k.import_id", " LEFT JOIN clients c ON c.external_id = r.external_id WHERE k.import_id")
    + ") SELECT count(*) AS good, count(*) FILTER (WHERE id IS NULL) AS new,"
    " count(*) FILTER (WHERE row_digest = digest) AS unchanged,"
    " count(*) FILTER (WHERE id IS NOT NULL AND row_digest IS DISTINCT FROM digest) AS changed,"
    " count(*) FILTER (WHERE email_now IS NOT NULL) AS emails_known,"
    " count(*) FILTER (WHERE :has_email AND email_now <> email_folded AND row_digest IS DISTINCT FROM digest)"
    "  AS emails_changing,"
    " count(*) FILTER (WHERE :has_active AND active_now AND active = 'f' AND row_digest IS DISTINCT FROM digest)"
    "  AS deactivating FROM u"
)
_MISSING = (
    "WITH u AS MATERIALIZED (" + _LINES + ") SELECT c.external_id, row_number() OVER (ORDER BY c.external_id) AS n"
    " FROM clients c WHERE c.active AND NOT EXISTS (SELECT 1 FROM u WHERE u.external_id = c.external_id)"
    " AND NOT EXISTS (SELECT 1 FROM roster_rows b WHERE b.import_id = :import AND b.external_id = c.external_id)"
)
_MISSING_CHUNKS = (
    "INSERT INTO roster_chunks (import_id, number, missing, row_count, lines, external_ids)"
    " SELECT :import, :first + (m.n - 1) / :size, true, count(*),"
    f" string_agg((-m.n)::text, {_SEPARATOR} ORDER BY m.n) || {_SEPARATOR},"
    f" string_agg(m.external_id, {_SEPARATOR} ORDER BY m.n) || {_SEPARATOR}"
    " FROM (" + _MISSING + ") AS m GROUP BY (m.n - 1) / :size"
)


class Applying:
    """The statements that take a chunk and give it back, for one mapping (they depend on which fields it has)."""

    def __init__(self, import_id: UUID, mapping: Iterable[str]) -> None:
        """Take the import and the names of the fields its file has."""
        fields = set(mapping)
        if "full_name" in fields:
            fields |= {"given_name", "family_name"}
        self._keys = sorted(name.removeprefix(ATTRIBUTE) for name in fields if name.startswith(ATTRIBUTE))
        self._has = fields
        self.parameters: dict[str, Any] = {
            "import": import_id,
            "fields": ",".join(sorted(fields)),
            "keys": self._keys,
            "has_email": "email" in fields,
            "has_active": "active" in fields,
        }

    def _after(self, field: str, otherwise: str) -> str:
        """What a client's column is after the row was taken; `otherwise` where the file has no such field."""
        source = field.removesuffix("_folded") + "_name" if field in ("given_folded", "family_folded") else field
        source = source.replace("email_folded", "email")
        if field == "attributes":
            # A value left empty in the file is taken away, attributes the file does not have stay.
            return f"(({otherwise}) - CAST(:keys AS text[])) || u.attributes::jsonb"
        if source not in self._has:
            return otherwise
        if field == "active":
            return "(u.active = 't')"
        return f"u.{field}" if field in _REQUIRED else f"nullif(u.{field}, '')"

    def take(self, uow: UnitOfWork, chunk_id: UUID) -> dict[str, int]:
        """Create and update the clients of a chunk of the file; returns how many of each."""
        existing = (
            f"WITH {_TAKEN_CHUNK} INSERT INTO roster_rows"
            " (import_id, line, chunk_id, external_id, outcome, client_id, before)"
            " SELECT :import, u.line::int, u.chunk_id, u.external_id,"
            f" CASE WHEN c.active AND NOT {self._after('active', 'c.active')} THEN 'deactivated' ELSE 'updated' END,"
            f" c.id, {_BEFORE} FROM u JOIN clients c ON c.external_id = u.external_id"
            " WHERE c.row_digest IS DISTINCT FROM u.digest FOR UPDATE OF c"
        )
        values = {"chunk": chunk_id, "now": uow.now}
        met = self._run(uow, _KNOWN, values).one()
        changed = self._run(uow, existing, values).rowcount if met.known else 0
        if changed:
            assignments = ", ".join(f"{field} = {self._after(field, f'c.{field}')}" for field in _COLUMNS)
            self._run(
                uow,
                f"WITH {_TAKEN_CHUNK} UPDATE clients c SET {assignments}, row_digest = u.digest, updated_at = :now"
                " FROM u WHERE c.external_id = u.external_id AND c.row_digest IS DISTINCT FROM u.digest",
                values,
            )
        created = self._create(uow, values, some_known=met.known > 0) if met.known < met.good else 0
        if "counsellor" in self._has and (changed or created):
            self._give_to_counsellors(uow, values)
        return {"created": created, "updated": changed}

    def _create(self, uow: UnitOfWork, values: Mapping[str, Any], *, some_known: bool) -> int:
        # Somebody who appears meanwhile fails the insert, and the batch is tried again.
        unknown = " WHERE (SELECT true FROM clients c WHERE c.external_id = u.external_id LIMIT 1) IS NULL"
        fields = {field: self._after(field, _EMPTY.get(field, "NULL")) for field in _COLUMNS}
        fields["attributes"] = "u.attributes::jsonb"
        return int(
            self._run(
                uow,
                f"WITH {_TAKEN_CHUNK}, base AS MATERIALIZED (SELECT left(uuidv7()::text, 24) AS id),"
                " made AS (INSERT INTO clients"
                f" (id, external_id, external_folded, row_digest, created_at, updated_at, {', '.join(fields)})"
                f" SELECT {_CLIENT_ID}, u.external_id, u.external_folded, u.digest, :now, :now,"
                f" {', '.join(fields.values())} FROM u CROSS JOIN base{unknown if some_known else ''} RETURNING id)"
                " UPDATE roster_chunks SET created_ids = (SELECT array_agg(id) FROM made) WHERE id = :chunk"
                " RETURNING coalesce(cardinality(created_ids), 0)",
                values,
            ).scalar_one()
        )

    def _give_to_counsellors(self, uow: UnitOfWork, values: Mapping[str, Any]) -> None:
        wanted = (
            f"WITH {_TAKEN_CHUNK}, w AS (SELECT c.id AS client_id, u.counsellor::uuid AS membership_id"
            " FROM u JOIN clients c ON c.external_id = u.external_id WHERE u.counsellor <> ''"
            " AND (EXISTS (SELECT 1 FROM roster_rows b WHERE b.chunk_id = :chunk AND b.client_id = c.id)"
            " OR c.id IN (SELECT unnest(k.created_ids) FROM roster_chunks k WHERE k.id = :chunk)))"
        )
        self._run(
            uow,
            wanted + " DELETE FROM caseload_entries e USING w WHERE e.client_id = w.client_id"
            " AND (e.kind = 'primary') <> (e.membership_id = w.membership_id)",
            values,
        )
        self._run(
            uow,
            wanted + " INSERT INTO caseload_entries (membership_id, client_id, kind, since)"
            " SELECT membership_id, client_id, 'primary', :now FROM w ON CONFLICT DO NOTHING",
            values,
        )

    def take_missing(self, uow: UnitOfWork, chunk_id: UUID) -> dict[str, int]:
        """Deactivate the clients of a chunk that the file does not name; returns how many."""
        values = {"chunk": chunk_id, "now": uow.now}
        number = self._run(
            uow,
            f"WITH {_TAKEN_CHUNK} INSERT INTO roster_rows"
            " (import_id, line, chunk_id, external_id, outcome, client_id, before)"
            f" SELECT :import, u.line::int, u.chunk_id, u.external_id, 'deactivated', c.id, {_BEFORE}"
            " FROM u JOIN clients c ON c.external_id = u.external_id WHERE c.active FOR UPDATE OF c",
            values,
        ).rowcount
        # Without a digest the row counts as changed when the person is in a later file again.
        self._run(
            uow,
            "UPDATE clients c SET active = false, row_digest = NULL, updated_at = :now FROM roster_rows b"
            " WHERE b.chunk_id = :chunk AND b.client_id = c.id",
            values,
        )
        return {"deactivated": number}

    def give_back(self, uow: UnitOfWork, chunk_id: UUID, *, missing: bool, sentences: Mapping[str, str]) -> int:
        """Undo a chunk: restore and delete what nobody changed since. Returns how many clients were kept."""
        values = {"chunk": chunk_id, **sentences}
        expected = {
            field: ("false" if field == "active" else f"(b.before->>'{field}')::{_TYPES.get(field, 'text')}")
            if missing
            else self._after(field, f"(b.before->>'{field}')::{_TYPES.get(field, 'text')}")
            for field in _COLUMNS
        }
        same = " AND ".join(f"c.{field} IS NOT DISTINCT FROM {value}" for field, value in expected.items())
        touched = (
            f"WITH {_TAKEN_CHUNK}, t AS (SELECT b.line, b.client_id, b.before, u.counsellor FROM roster_rows b"
            " JOIN u ON u.line::int = b.line JOIN clients c ON c.id = b.client_id"
            f" WHERE b.chunk_id = :chunk AND b.outcome IN ('updated', 'deactivated') AND {same})"
        )
        self._run(
            uow,
            touched + " DELETE FROM caseload_entries e USING t WHERE e.client_id = t.client_id"
            " AND t.before ? 'caseload' AND EXISTS (SELECT 1 FROM caseload_entries p WHERE p.client_id = t.client_id"
            " AND p.kind = 'primary' AND p.membership_id = nullif(t.counsellor, '')::uuid)",
            values,
        )
        self._run(
            uow,
            touched + " INSERT INTO caseload_entries (membership_id, client_id, kind, since)"
            " SELECT (e->>'membership_id')::uuid, t.client_id, e->>'kind', (e->>'since')::timestamptz FROM t,"
            " jsonb_array_elements(t.before->'caseload') e WHERE NOT EXISTS"
            " (SELECT 1 FROM caseload_entries p WHERE p.client_id = t.client_id)",
            values,
        )
        restored = ", ".join(f"{field} = (t.before->>'{field}')::{_TYPES.get(field, 'text')}" for field in _COLUMNS)
        self._run(
            uow,
            touched + f", restored AS (UPDATE clients c SET {restored},"
            " row_digest = decode(t.before->>'row_digest', 'hex'),"
            " updated_at = (t.before->>'updated_at')::timestamptz FROM t WHERE c.id = t.client_id RETURNING t.line)"
            " UPDATE roster_rows b SET outcome = 'undone' FROM restored"
            " WHERE b.import_id = :import AND b.line = restored.line",
            values,
        )
        kept = self._run(
            uow,
            "UPDATE roster_rows SET outcome = 'kept', problems = jsonb_build_array("
            "jsonb_build_array('', CAST(:changed_since AS text), ''))"
            " WHERE chunk_id = :chunk AND outcome IN ('updated', 'deactivated')",
            values,
        ).rowcount
        return kept if missing else kept + self._remove_created(uow, values)

    def _remove_created(self, uow: UnitOfWork, values: Mapping[str, Any]) -> int:
        same = " AND ".join(
            f"c.{field} IS NOT DISTINCT FROM {self._after(field, _EMPTY.get(field, 'NULL'))}" for field in _COLUMNS
        )
        made = "c.id = ANY (ARRAY(SELECT unnest(k.created_ids) FROM roster_chunks k WHERE k.id = :chunk))"
        free = " AND ".join(
            f"NOT EXISTS (SELECT 1 FROM {table} x WHERE x.client_id = c.id{_NO_WORK.get(table, '')})"
            for table in _referring(uow)
        )
        going = self._run(
            uow,
            f"WITH {_TAKEN_CHUNK} SELECT c.id FROM clients c JOIN u ON u.external_id = c.external_id WHERE {made}"
            f" AND c.membership_id IS NULL AND {same} AND {free} FOR UPDATE OF c",
            values,
        )
        ids = {"ids": [row.id for row in going]}
        plans = self._run(
            uow,
            "DELETE FROM plans x WHERE x.client_id = ANY(CAST(:ids AS uuid[])) AND" + _UNTOUCHED + " RETURNING x.id",
            ids,
        )
        if gone := [row.id for row in plans]:
            record_each(uow, "plan.assignment_undone", "plan", select(func.unnest(cast(gone, ARRAY(Uuid)))))
        # A plan somebody began between these statements stops the whole batch here, and it is tried again.
        self._run(uow, "DELETE FROM clients WHERE id = ANY(CAST(:ids AS uuid[]))", ids)
        return self._run(
            uow,
            f"WITH {_TAKEN_CHUNK} INSERT INTO roster_rows"
            " (import_id, line, chunk_id, external_id, outcome, client_id, problems)"
            " SELECT :import, u.line::int, :chunk, c.external_id, 'kept', c.id,"
            " jsonb_build_array(jsonb_build_array('', CAST(:in_use AS text), ''))"
            f" FROM clients c JOIN u ON u.external_id = c.external_id WHERE {made} ON CONFLICT DO NOTHING",
            values,
        ).rowcount

    def _run(self, uow: UnitOfWork, statement: str, values: Mapping[str, Any]) -> CursorResult[Any]:
        return uow.session.connection().execute(text(statement), {**self.parameters, **values})


# The columns of a client that a roster may fill (the external id itself never changes).
_COLUMNS = (
    "given_name",
    "given_folded",
    "family_name",
    "family_folded",
    "email",
    "email_folded",
    "time_zone",
    "locale",
    "active",
    "attributes",
)
_REQUIRED = frozenset({"given_name", "given_folded", "family_name", "family_folded"})
_EMPTY = dict.fromkeys(_REQUIRED, "''") | {"active": "true", "attributes": "'{}'::jsonb"}
_TYPES = {"active": "boolean", "attributes": "jsonb"}
_BEFORE = (
    "jsonb_build_object("
    + ", ".join(f"'{field}', c.{field}" for field in _COLUMNS)
    + ", 'row_digest', encode(c.row_digest, 'hex'), 'updated_at', c.updated_at)"
    " || CASE WHEN u.counsellor <> '' THEN jsonb_build_object('caseload',"
    " coalesce((SELECT jsonb_agg(jsonb_build_object("
    "'membership_id', e.membership_id, 'kind', e.kind, 'since', e.since)) FROM caseload_entries e"
    " WHERE e.client_id = c.id), '[]'::jsonb)) ELSE '{}'::jsonb END"
)
# A plan that came by itself, because its client joined a cohort with a standing assignment, and that nobody worked on
# or was prompted for: no work. Plans stand above clients, so their tables are named, not their feature.
_UNTOUCHED = (
    " x.touched_at IS NULL AND x.revision = 1 AND NOT EXISTS (SELECT 1 FROM prompts q WHERE q.plan_id = x.id)"
    " AND EXISTS (SELECT 1 FROM jobs j JOIN assignments s ON s.id::text = j.params->>'assignment'"
    " WHERE j.id = x.assigned_by_job AND s.standing)"
)
_NO_WORK = {"plans": f" AND NOT ({_UNTOUCHED})"}
# Rows that vanish with a client without a loss: where it belongs, and this ledger itself.
_HARMLESS = ("assignment_members", "caseload_entries", "caseload_history", "cohort_members", "roster_rows")


def _referring(uow: UnitOfWork) -> list[str]:
    """Tables with rows about clients, whichever feature they belong to: a client with such a row is in use."""
    found = uow.session.connection().execute(
        text(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id'"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname"
        )
    )
    return [row.relname for row in found if row.relname not in _HARMLESS]


def mark_bad(uow: UnitOfWork, applying: Applying, headers: Mapping[str, str], sentences: Mapping[str, str]) -> None:
    """Mark rows that share an id or e-mail with another row, or an e-mail with somebody not in the file.

    Rows marked already no longer count as good, so that doing it again finds nothing new.
    """
    values = {
        "import": applying.parameters["import"],
        "id_header": headers["external_id"],
        "email_header": headers.get("email", ""),
        **sentences,
    }
    uow.session.connection().execute(text(_MARK), values)


def count(uow: UnitOfWork, applying: Applying) -> dict[str, int]:
    """Count what taking the import would do."""
    connection, values = uow.session.connection(), applying.parameters
    counts: dict[str, int] = dict(connection.execute(text(_COUNTS), values).one()._mapping)
    counts["bad"] = connection.execute(
        text("SELECT count(*) FROM roster_rows WHERE import_id = :import AND outcome = 'bad'"), values
    ).scalar_one()
    counts["missing"] = connection.execute(text(f"SELECT count(*) FROM ({_MISSING}) m"), values).scalar_one()
    counts["rows"] = counts["good"] + counts["bad"]
    return counts


def add_missing(uow: UnitOfWork, applying: Applying, *, first: int, size: int) -> None:
    """Write chunks that name the active clients the file does not, numbered from `first`."""
    values = {**applying.parameters, "first": first, "size": size}
    connection = uow.session.connection()
    connection.execute(text("DELETE FROM roster_chunks WHERE import_id = :import AND missing"), values)
    connection.execute(text(_MISSING_CHUNKS), values)
