"""Write client reports; the floor is the bare renderer on the same inputs, on all cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, text

from app.bench.harness import Measured, Place, interleaved, published_template, stopwatch
from app.bench.score import answers, definition
from app.domain import access
from app.domain.steps import StepKey
from app.domain.template_content import parse_content
from app.features.cohorts.models import Cohort
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.runner import array_literals
from app.features.instruments.service import load_definition
from app.features.jobs.models import StoredFile
from app.features.reports.commands import ReportCohort
from app.features.reports.document import documents
from app.features.reports.naming import CLIENT_FILE
from app.features.reports.service import report_cohort
from app.features.reports.sources import load_sources
from app.infra.pdf.press import TEMPLATES

# A worker as it runs in an installation: says when its renderers are warm, then works until nothing is left.
_WORKER = """
import json, os, sys
from dataclasses import replace
from datetime import timedelta
from uuid import UUID
from app.composition import JOB_KINDS
from app.config import load
from app.features.jobs.runner import work
from app.infra.logs import configure_logging
from app.infra.pdf.press import press
from app.infra.queue import SilentDoorbell
from app.infra.runtime import make_runtime
settings = load(os.environ)
configure_logging(settings.log_format, settings.log_level)
runtime = make_runtime(settings, doorbell=SilentDoorbell())
with open(sys.argv[1], encoding="utf-8") as handle:
    document = json.loads(handle.readline())
list(press(1).print_each("reports/client.typ", iter([(n, document) for n in range(8)])))
print("ready", flush=True)
# The archive and the workbook are made once all reports are there; they are no part of the floor.
kinds = {name: replace(kind, finish=None) for name, kind in JOB_KINDS.items()}
for line in sys.stdin:
    work(runtime, UUID(line.strip()), kinds, until=runtime.clock() + timedelta(minutes=10))
    print("done", flush=True)
"""
# A renderer and nothing else: reads documents as lines of JSON, sets each, throws the PDF away.
_BARE = """
import json, os, sys
os.environ["RAYON_NUM_THREADS"] = "1"
import typst
from app.infra.pdf import fonts
templates, source = sys.argv[1:]
extra = fonts.extra_fonts()
found = typst.Fonts(include_system_fonts=False, font_paths=list(fonts.font_folders(extra)))
families = json.dumps([name for name in fonts.FAMILIES if name in found.families()])
main = templates + "/reports/client.typ"
compiler = typst.Compiler(input=main, root=templates, font_paths=found, ignore_system_fonts=True)
lines = open(source, encoding="utf-8").read().splitlines()
def one(line):
    return compiler.compile(format="pdf", pdf_standards=["ua-1"], timestamp=0,
                            sys_inputs={"data": line, "fonts": families, "missing": "[]"})
one(lines[0])
print("ready", flush=True)
sys.stdin.readline()
print(sum(len(one(line)) for line in lines), flush=True)
"""
_CONTENTS = {
    StepKey.AMBITION: {
        "statement": "I want to lead a small team that makes clean drinking water affordable in dry regions. " * 3,
        "why": "Where I grew up, water decided what everybody could do. " * 3,
        "values": [{"id": f"v{n}", "name": name} for n, name in enumerate(("Craft", "Independence", "Service"))],
    },
    StepKey.SELF_ASSESSMENT: {"fits": "Careful work in a quiet place suits me, and explaining it to others. " * 3},
    StepKey.OPPORTUNITIES: {
        "factors": [
            {
                "id": f"f{n}",
                "text": f"Factor number {n} of the environment",
                "kind": ("opportunity", "threat")[n % 2],
                "controllable": ("yes", "no")[n % 2],
                "likelihood": 1 + n % 5,
                "impact": 2,
            }
            for n in range(5)
        ]
    },
    StepKey.GOALS: {
        "goals": [
            {
                "id": f"g{n}",
                "horizon": ("short", "medium", "life")[n % 3],
                "text": f"Goal number {n}",
                "measure": "done",
            }
            for n in range(4)
        ]
    },
    StepKey.ACTION_PLAN: {
        "actions": [
            {"id": f"a{n}", "kind": "work", "text": f"Action number {n}", "due_on": "2027-01-01"} for n in range(6)
        ]
    },
}
_PLANS = text(
    """
    WITH made AS (
        INSERT INTO plans (client_id, template_id, template_version, started_on)
        SELECT id, :template, 1, date '2026-09-07' FROM clients RETURNING id
    ), steps AS (
        INSERT INTO plan_steps (plan_id, step, status, due_on)
        SELECT made.id, s, CASE WHEN s < 3 THEN 'completed' WHEN s < 5 THEN 'in_progress' ELSE 'not_started' END,
               date '2026-09-07' + 14 * s
        FROM made CROSS JOIN generate_series(1, 8) s
    )
    SELECT count(*) FROM made
    """
)
_WRITTEN = text(
    "INSERT INTO step_contents (plan_id, step, content) SELECT id, :step, cast(:content AS jsonb) FROM plans"
)
_TAKEN = text(
    """
    INSERT INTO assessments (client_id, instrument_id, version, taken_at, source, source_key, responses, scores,
                             answered)
    SELECT c.id, :instrument, 1, now(), 'import', 'bench', given.responses::smallint[],
           ARRAY[20 + c.n % 20, 30, 25 + c.n % 10, 35, 40 - c.n % 7]::float8[], '{10,10,10,10,10}'::smallint[]
    FROM (SELECT id, row_number() OVER (ORDER BY external_id) AS n FROM clients) c
    JOIN unnest(cast(:responses AS text[])) WITH ORDINALITY AS given(responses, n) ON given.n = c.n
    """
)


def prepare(place: Place, clients: int) -> tuple[UUID, UUID]:
    """An organization whose clients have plans, contents and one assessment: (organization, cohort of all)."""
    organization = place.organization()
    place.clients(organization, clients)
    recipe = parse_content({"steps": {key.value: {"enabled": True, "guidance": "Guidance."} for key in StepKey}})
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        template, cohort = published_template(uow, recipe), Cohort(name="Everybody", kind="fixed")
        uow.session.add(cohort)
        uow.session.flush()
        uow.session.execute(_PLANS, {"template": template.id})
        for key, content in _CONTENTS.items():
            uow.session.execute(_WRITTEN, {"step": key.number, "content": json.dumps(content)})
        instrument = load_definition(uow, LoadDefinition(raw=definition())).instrument_id
        given = answers(clients).clip(1)
        uow.session.execute(_TAKEN, {"instrument": instrument, "responses": array_literals(given)})
        uow.session.execute(
            text("INSERT INTO cohort_members (cohort_id, client_id) SELECT :c, id FROM clients"), {"c": cohort.id}
        )
        return organization, cohort.id


def measure(place: Place, clients: int, *, limit: float | None, runs: int = 5) -> Measured:
    """A cohort's job for `clients` until every report is stored: reading, composing, setting, storing, ledgers.

    A worker per core works on it, as in an installation; the floor has a renderer per core. Both are warm.
    """
    places = [prepare(place, clients) for _ in range(runs)]
    sources = [place.folder / f"documents-{n}.jsonl" for n in range(os.cpu_count() or 1)]
    write_inputs(place, places[0][0], sources)
    place.settle()
    environment = {**os.environ, **place.settings.environ()}

    def floor(_: int) -> float:
        started = [_start(_BARE, str(TEMPLATES), str(source)) for source in sources]
        return _timed(started, "go")

    def ours(run: int) -> float:
        organization, cohort = places[run]
        actor = access.system(organization)
        workers = [_start(_WORKER, str(source), environment=environment) for source in sources]
        with place.runtime.database.unit_of_work(actor) as uow:
            report_cohort(uow, ReportCohort(cohort_id=cohort))
        taken = _timed(workers, str(organization))
        with place.runtime.database.unit_of_work(actor) as uow:
            made = uow.session.scalar(
                select(func.count()).select_from(StoredFile).where(StoredFile.kind == CLIENT_FILE)
            )
            assert made == clients, made
        return taken

    return interleaved("write client reports", clients, floor, ours, limit=limit, runs=runs)


def write_inputs(place: Place, organization: UUID, sources: list[Path]) -> None:
    """Write the documents of an organization's reports as lines of JSON, shared out over the files."""
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        ids = uow.session.scalars(text("SELECT id FROM clients ORDER BY id")).all()
        made = [json.dumps(document, ensure_ascii=False) for _, document in documents(load_sources(uow, ids))]
    for number, source in enumerate(sources):
        source.write_text("\n".join(made[number :: len(sources)]), encoding="utf-8")


def open_worker(source: str, *, environment: dict[str, str]) -> subprocess.Popen[str]:
    """A warm worker: give it an organization's id in a line and it says "done" when no open job is left there."""
    return _start(_WORKER, source, environment=environment)


def _start(program: str, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """A process that has said it is ready."""
    # The programs and arguments are this module's own.
    process = subprocess.Popen(  # noqa: S603 - see above
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=TEMPLATES.parents[1],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _timed(processes: list[subprocess.Popen[str]], word: str) -> float:
    """Tell all to begin and return the seconds until the last has said that it is done."""
    with stopwatch() as seconds:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(word + "\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said == "done\n" or said.strip().isdigit(), said
        taken = seconds()
    for process in processes:
        process.communicate()
    return taken
