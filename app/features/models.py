"""Every row class, for migrations' comparison and structural tests; features import their own module."""

from app.features.assignments import models as assignments
from app.features.audit import models as audit
from app.features.clients import models as clients
from app.features.cohorts import models as cohorts
from app.features.edits import models as edits
from app.features.extracts import models as extracts
from app.features.figures import models as figures
from app.features.identity import models as identity
from app.features.instruments import models as instruments
from app.features.jobs import models as jobs
from app.features.messaging import models as messaging
from app.features.moves import models as moves
from app.features.occupations import models as occupations
from app.features.organizations import models as organizations
from app.features.outcomes import models as outcomes
from app.features.plans import models as plans
from app.features.reports import models as reports
from app.features.reviews import models as reviews
from app.features.rollouts import models as rollouts
from app.features.schedules import models as schedules
from app.features.scratches import models as scratches
from app.features.selections import models as selections
from app.features.steps.action_plan import models as actions
from app.features.triggers import models as triggers
from app.infra.db.tenancy import Base

metadata = Base.metadata

__all__ = [
    "actions",
    "assignments",
    "audit",
    "clients",
    "cohorts",
    "edits",
    "extracts",
    "figures",
    "identity",
    "instruments",
    "jobs",
    "messaging",
    "metadata",
    "moves",
    "occupations",
    "organizations",
    "outcomes",
    "plans",
    "reports",
    "reviews",
    "rollouts",
    "schedules",
    "scratches",
    "selections",
    "triggers",
]
