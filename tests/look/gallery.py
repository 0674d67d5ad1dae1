"""A gallery of the look: every component with made-up data, in a tiny Flask application without a database.

`python -m tests.look.gallery` serves it on a free port of 127.0.0.1 and prints the address.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace as Thing
from typing import Any

from flask import Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from jinja2 import ChoiceLoader, FileSystemLoader
from wtforms import (
    BooleanField,
    DateField,
    Form,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    validators,
)
from wtforms.fields.choices import SelectChoice

from app.infra.drawing.charts import Bar, HeatCell, Line
from app.infra.drawing.dial import DialSegment, Status
from app.infra.drawing.jinja import drawing_globals
from app.infra.drawing.paired_bars import ShareBar, paired_bars_svg

ROOT = Path(__file__).resolve().parents[2]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
STEPS = (
    "Ambition",
    "Self-assessment",
    "Opportunities",
    "Career choice",
    "Career path",
    "Goals",
    "Action plan",
    "Review",
)
LETTERS: dict[str, Status] = {
    "n": "not_started",
    "i": "in_progress",
    "s": "submitted",
    "r": "returned",
    "c": "completed",
    "t": "completed",
    "k": "skipped",
}
PAGES = (
    "caseload",
    "caseload-empty",
    "plan",
    "shapes",
    "my-plan",
    "check-in",
    "form",
    "form-errors",
    "jobs",
    "preview",
    "aggregates",
    "sign-in",
)


def segments(letters: str, *, linked: bool = False) -> list[DialSegment]:
    """Return eight segments from letters: n i s r c k, and t for completed but stale."""
    return [
        DialSegment(i, LETTERS[x], STEPS[i - 1], x == "t", f"/plan?step={i}" if linked else None)
        for i, x in enumerate(letters, start=1)
    ]


def _client(row: tuple[str, str, str, Sequence[tuple[str, str]], str, date, int]) -> Thing:
    name, programme, letters, why, contact, due, revision = row
    return Thing(
        name=name,
        programme=programme,
        steps=segments(letters),
        why=[Thing(kind=kind, text=text) for text, kind in why],
        contact=contact,
        due=due,
        revision=revision,
    )


CLIENTS = [
    _client(row)
    for row in (
        (
            "Amara Okafor",
            "Economics, year 3",
            "cccstnnn",
            [("Waiting for you: step 4", "wait"), ("Choice rests on an older profile", "brass")],
            "2 days",
            date(2027, 11, 24),
            2,
        ),
        (
            "Jonas Weber",
            "Mechanical engineering, year 4",
            "cccccicn",
            [("Action overdue 9 days", "bad")],
            "3 weeks",
            date(2027, 11, 15),
            1,
        ),
        (
            "李娜 Li Na",
            "Design, year 2",
            "ccinnnnn",
            [("Silent 5 weeks", "brass")],
            "5 weeks",
            date(2027, 12, 1),
            1,
        ),
        (
            "Sofia Marques",
            "Psychology, year 3",
            "cccccccs",
            [("Check-in answered", "wait")],
            "today",
            date(2027, 11, 22),
            3,
        ),
        ("Tom Byrne", "History, year 1", "nnnnnnnn", [("Never met", "bad")], "never", date(2027, 12, 6), 1),
        (
            "Yusuf Demir",
            "Computer science, year 4",
            "cccccccc",
            [("On course", "ok")],
            "4 days",
            date(2028, 3, 3),
            4,
        ),
        (
            "Hanna Lindqvist",
            "Biology, year 2",
            "cckcrnnn",
            [("Returned: step 5", "bad")],
            "1 week",
            date(2027, 12, 8),
            1,
        ),
        (
            "Priya Raman",
            "Mathematics, year 3",
            "ccccttnn",
            [("Outlook of occupation changed", "brass")],
            "2 weeks",
            date(2027, 11, 29),
            2,
        ),
    )
]


class FactorForm(Form):
    """A form with every kind of field."""

    name = StringField("What is it?", [validators.InputRequired("Write a few words.")])
    side = RadioField(
        "What does it do to your plan?",
        [validators.InputRequired("Choose one.")],
        choices=[SelectChoice("helps", "It helps"), SelectChoice("harms", "It gets in the way")],
        description="Think of the next two years.",
    )
    control = SelectField(
        "Can you change it?",
        choices=[SelectChoice("", "Choose"), SelectChoice("yes", "Yes"), SelectChoice("no", "No")],
    )
    since = DateField("Since when?", [validators.Optional()], description="A rough date is fine.")
    more = TextAreaField("Say more", description="Your counsellor reads this too.")
    told = BooleanField("Tell my counsellor at once")


class SignInForm(Form):
    """Sign in with e-mail and password."""

    email = StringField("E-mail", [validators.InputRequired()])
    password = PasswordField("Password", [validators.InputRequired()])


def _gettext(text: str, **values: Any) -> str:
    return text % values if values else text


def _ngettext(one: str, many: str, num: int, **values: Any) -> str:
    return (one if num == 1 else many) % {"num": num, **values}


def _charts() -> dict[str, Any]:
    counts = (360, 331, 270, 204, 181, 160, 122, 96)
    completed = [(step, [ShareBar(n / 412, f"{n / 412:.0%}")]) for step, n in zip(STEPS, counts, strict=True)]
    shares = ((0.94, 0.81, 0.66, 0.4, 0.31), (0.99, 0.9, 0.82, 0.61, 0.47), (0.7, 0.5, 0.22, 0.1, None))
    heat = [
        (
            cohort,
            [
                HeatCell(
                    "" if share is None else f"{share:.0%}",
                    share,
                    f"{cohort}, step {i}: " + ("withheld, too few" if share is None else f"{share:.0%}"),
                    None if share is None else "/caseload",
                )
                for i, share in enumerate(row, start=1)
            ],
        )
        for cohort, row in zip(("Class of 2027", "Class of 2028", "Transfer students"), shares, strict=True)
    ]
    bars = [
        Bar("Realistic", 18, "18", 13, 23),
        Bar("Investigative", 30, "30", 24, 36),
        Bar("Artistic", 24, "24", 19, 29),
        Bar("Social", 27, "27", 22, 32),
        Bar("Enterprising", 12, "12", 7, 17),
        Bar("Conventional", 9, "9", 4, 14),
    ]
    lines = [
        Line("Answered", [61, 64, 70, 68, 74, 78]),
        Line("Within 7 days", [40, 47, None, 55, 61, 66]),
        Line("Goal met", [20, 24, 31, 30, 38, 41]),
    ]
    return {
        "completed": paired_bars_svg(completed, ["All"], title="Completed, by step", description="Fewer each step."),
        "completed_flat": [(label, bar.shown) for label, [bar] in completed],
        "heat": heat,
        "heat_flat": [(label, *(cell.shown or "withheld" for cell in cells)) for label, cells in heat],
        "bars": bars,
        "bars_flat": [(bar.label, f"{bar.shown} ({bar.low} to {bar.high})") for bar in bars],
        "lines": lines,
        "lines_flat": [(line.label, *("–" if v is None else f"{v:g}" for v in line.values)) for line in lines],
    }


def create_gallery() -> Flask:
    """Return the gallery application; every answer carries the product's content security policy."""
    app = Flask("gallery", static_folder=str(ROOT / "app/static"), static_url_path="/static")
    app.secret_key = "made up"
    app.jinja_loader = ChoiceLoader(
        [FileSystemLoader(ROOT / "app/templates"), FileSystemLoader(Path(__file__).parent / "templates")]
    )
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    app.jinja_env.globals.update(drawing_globals(), asset=lambda path: f"/static/{path}")
    app.jinja_env.filters.update(
        dateformat=lambda d, _style=None: f"{d.day} {d:%b %Y}",
        said=str,
        numberformat=lambda n: f"{n:,}",
        datetimeformat=lambda d, _style=None: f"{d.day} {d:%B %Y, %H:%M} UTC",
    )

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @app.context_processor
    def frame() -> dict[str, Any]:
        names = ("Today", "Caseload", "Cohorts", "Templates", "Reports", "Jobs")
        phone = ("My plan", "Messages", "Profile")
        client = request.path in {"/my-plan", "/check-in"}
        return {
            "lang": request.args.get("lang", "en"),
            "dir": request.args.get("dir", "ltr"),
            "theme": request.args.get("theme", ""),
            "nav": [
                Thing(label=n, href=f"/{n.lower()}", current=n in {"Caseload", "My plan"})
                for n in (phone if client else names)
            ],
            "find_href": "/caseload",
            "find_label": "Find a student",
            "organization_name": "Northfield Careers",
            "organizations": [
                Thing(name="Northfield Careers", href="/caseload", current=True),
                Thing(name="Lakeside College", href="/caseload", current=False),
            ],
            "current_user_name": "Jonas Weber" if client else "Lena Moreau",
            "user_menu": [
                Thing(label="Profile", href="/form"),
                Thing(label="Notification choices", href="/form"),
            ],
            "sign_out_href": "/sign-in",
            "help_href": "/form",
        }

    @app.get("/<any('plan','shapes','my-plan','check-in','preview'):name>")
    def simple(name: str) -> str:
        return render_template(
            f"{name}.html",
            segments=segments,
            letters=LETTERS,
            now=datetime(2027, 11, 22, 18, 4, tzinfo=UTC),
            moments=[datetime(2027, 11, d, 9, 30, tzinfo=UTC) for d in (22, 18, 12, 3)],
        )

    @app.get("/caseload")
    def caseload() -> str:
        asked = request.args.get("q", "").lower()
        found = [c for c in CLIENTS if asked in c.name.lower()]
        pages = Thing(number=1, pages=9, first=1, last=50, total=412, href=lambda n: f"/caseload?page={n}")
        return render_template("caseload.html", clients=found, asked=asked, pages=pages)

    @app.get("/caseload-empty")
    def empty() -> str:
        return render_template("caseload-empty.html")

    @app.route("/form", methods=["GET", "POST"])
    def form() -> ResponseReturnValue:
        filled = FactorForm(request.form)
        bad = request.method == "POST" and not filled.validate()
        return render_template("form.html", form=filled), 422 if bad else 200

    @app.get("/form-errors")
    def form_errors() -> str:
        filled = FactorForm(data={"more": "I keep coming back to research."})
        filled.validate()
        return render_template("form.html", form=filled)

    @app.post("/saved")
    def saved() -> str:
        return ""

    @app.get("/jobs")
    def jobs() -> str:
        count = min(request.args.get("done", 100, int), 412)
        running = Thing(
            id="7",
            label="Reports for Class of 2028",
            total=412,
            done=count - 2,
            failed=2,
            remaining_text="about 2 minutes",
            finished=count == 412,
            poll_href=f"/jobs?done={count + 156}",
        )
        ended = Thing(
            id="6",
            label="Assign “Spring review”",
            total=96,
            done=96,
            failed=0,
            remaining_text=None,
            finished=True,
            poll_href="/jobs",
        )
        return render_template("jobs.html", running=running, ended=ended)

    @app.get("/aggregates")
    def aggregates() -> str:
        return render_template("aggregates.html", **_charts())

    @app.get("/sign-in")
    def sign_in() -> str:
        return render_template("sign-in.html", form=SignInForm())

    return app


if __name__ == "__main__":
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, create_gallery(), threaded=True)
    print(f"http://127.0.0.1:{server.port}/caseload")  # noqa: T201 - a command says where it serves
    server.serve_forever()
