"""What the made-up people write into their plans: a handful of stories in our own words, told step by step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Story:
    """One person's way: an aim, three options of which the first is chosen, factors, a way up, goals, actions.

    `cards` are the work values put on top, in order, by their keys in the deck; `codes` the three options in the
    catalogue (`options` are their names where it does not have them), `aim` the code of the position the way of step 5
    leads to ("": the chosen occupation), `education` the highest level, 1 to 12.
    """

    ambition: str
    why: str
    model: tuple[str, str]
    cards: tuple[str, ...]
    fits: str
    surprises: str
    # Text, kind, controllable, likelihood, impact, source, area, what is done about it.
    factors: tuple[tuple[str, str, str, int, int, str, str, str], ...]
    options: tuple[str, str, str]
    codes: tuple[str, ...]
    aim: str
    education: int
    reason: str
    path: tuple[str, str, str]
    other_path: tuple[str, str, str]
    milestones: tuple[str, str]
    # Horizon, text, measure.
    goals: tuple[tuple[str, str, str], ...]
    # The first goal in five levels, from much less than expected to much more; why it is a good goal, in five answers.
    levels: tuple[str, str, str, str, str]
    smart: tuple[str, str, str, str, str]
    # Kind, text, number of the goal it serves.
    actions: tuple[tuple[str, str, int], ...]
    # What a good choice must fit, and what a good way must.
    criteria: tuple[str, ...] = ("Personality", "Interests", "Specialties", "Abilities", "The world around me")
    way_criteria: tuple[str, str] = ("Fits how I like to work", "I can get there from here")
    drawback: str = "Takes patience; the first years are the hardest"
    proof: str = "A letter of confirmation"


@dataclass(frozen=True, slots=True)
class Remarks:
    """What counsellor and client say to each other."""

    returned: str = "Please say more about the third option, then send it again."
    skipped: str = "Settled already: you have an offer, so there is nothing to choose."
    round_done: str = "The first round is complete"
    thanks: str = "Thank you. I will think about it and write again."
    recommended: str = "Your answers lean this way as well, and two of our graduates work there. Talk to one of them."
    reopened: str = "After our talk: look at the choice again, as you asked."
    second_thoughts: str = "I spent a week with each. The other one is what I want to do every day."
    what_if: str = "What if I took my runner-up?"
    # In place of every comment of a course; "" leaves them as they are.
    comment: str = ""


STORIES: tuple[Story, ...] = (
    Story(
        ambition="I want to run the clinic team of a small town, so that people there get care without a two-hour "
        "drive, and young nurses want to stay.",
        why="My grandmother waited too long for help because the next hospital was far away.",
        model=("My placement supervisor", "She stays calm when everything happens at once, and explains why."),
        cards=("helping", "team", "security", "balance"),
        fits="The result for working with people is me: I come home from a long shift with more energy.",
        surprises="I scored lower on order than I thought. My notes would agree.",
        factors=(
            (
                "Two rural clinics are hiring lead nurses in the next three years",
                "opportunity",
                "no",
                4,
                4,
                "Council",
                "market",
                "Ask both for a placement",
            ),
            (
                "The shift plan makes evening courses hard",
                "threat",
                "partly",
                4,
                3,
                "My own calendar",
                "money",
                "Ask the ward early for fixed days",
            ),
            (
                "I speak Polish, as one family in six does there",
                "strength",
                "yes",
                5,
                3,
                "Town statistics",
                "society",
                "Say so in every application",
            ),
            (
                "I have never held a budget",
                "weakness",
                "yes",
                5,
                2,
                "Talk with my adviser",
                "abilities",
                "The module on health budgets",
            ),
        ),
        options=("Community nurse, later team lead", "Hospital ward nurse", "Health educator"),
        codes=("29-1141.00", "29-1171.00", "11-9111.00"),
        aim="11-9111.00",
        education=4,
        reason="It fits how I work with people and where I want to live; the ward would not.",
        path=("administration", "Lead a team", "Decide how care is organized; better pay"),
        other_path=("technical", "Specialise in wound care", "Deep knowledge; works in any clinic"),
        milestones=("Registered nurse in a community clinic", "Deputy lead of a clinic team"),
        goals=(
            ("short", "Finish the community placement with a good report", "The report says at least good"),
            ("medium", "Work as a deputy lead", "A signed contract as deputy lead"),
            ("life", "Care that is near for everyone in my county", "No village further than 30 minutes"),
        ),
        levels=(
            "No placement",
            "A placement without a report",
            "A report that says at least good",
            "A very good report",
            "They offer me a post",
        ),
        smart=(
            "One placement, one report",
            "The report has a grade",
            "Others before me did it",
            "It is the first step to the clinic",
            "It ends in June",
        ),
        actions=(
            ("work", "Ask for the autumn placement in the river clinic", 0),
            ("training", "Take the two-day course on leading a shift", 1),
            ("education", "Enrol in the module on health budgets", 1),
        ),
    ),
    Story(
        ambition="I want to build software that still works when the network does not, for farms, ships and villages, "
        "and lead a small team that others like to join.",
        why="I grew up where the connection was down two days a week, and most programs gave up.",
        model=("The maintainer of the library I use most", "Answers every question as if it were the first."),
        cards=("challenge", "ownway", "learning", "results", "trust"),
        fits="Working with ideas is high and that is right. I like problems nobody has solved yet.",
        surprises="People came out higher than expected; I do like to explain things.",
        factors=(
            (
                "Companies here look for people who know embedded systems",
                "opportunity",
                "no",
                4,
                4,
                "Job fair",
                "market",
                "Send five applications",
            ),
            (
                "Much entry-level work is being automated",
                "threat",
                "no",
                3,
                4,
                "Newspaper series, spring",
                "technology",
                "Learn what machines do badly: real devices",
            ),
            (
                "My team project is used by a real fishery",
                "strength",
                "yes",
                5,
                4,
                "Their letter",
                "abilities",
                "Put it first in applications",
            ),
            (
                "I have not worked with people outside my field",
                "weakness",
                "yes",
                4,
                2,
                "Self-assessment",
                "abilities",
                "Two weeks with the hardware group",
            ),
            (
                "The university lends hardware for free",
                "opportunity",
                "partly",
                5,
                2,
                "Lab office",
                "education",
                "Borrow a board for the project",
            ),
        ),
        options=("Embedded software engineer", "Web developer", "Research assistant"),
        codes=("15-1252.00", "15-1254.00", "17-2071.00"),
        aim="11-3021.00",
        education=6,
        reason="I would learn the most there, and my project shows that I can do it.",
        path=("technical", "Grow as an expert", "Stay close to the work; known for one thing"),
        other_path=("entrepreneurship", "Start a company", "Own decisions; but no income for a year"),
        milestones=("First job in an embedded team", "Responsible for one product's reliability"),
        goals=(
            ("short", "An internship in an embedded team next summer", "A signed internship contract"),
            ("medium", "Lead the offline part of a product", "My name on its design document"),
            ("long", "Be asked for advice from other teams", "Three invitations to speak in a year"),
        ),
        levels=(
            "No answer to any application",
            "One interview",
            "A signed contract",
            "Two offers to choose from",
            "They ask me to stay on",
        ),
        smart=(
            "One contract",
            "It is signed or it is not",
            "My project shows what I can do",
            "Nobody hires without it",
            "Next summer",
        ),
        actions=(
            ("work", "Send five applications with the fishery project", 0),
            ("training", "Finish the course on real-time systems", 0),
            ("job_rotation", "Spend two weeks with the hardware group", 1),
        ),
    ),
    Story(
        ambition="I want to design rooms in which people learn well, first for schools, later for museums, and to be "
        "asked before the walls are drawn.",
        why="I spent six years in a school where one could not hear the teacher in the last row.",
        model=("The architect of our library", "She sat in the old one for a week before she drew a line."),
        cards=("ideas", "results", "variety", "craft"),
        fits="High on ideas, low on order. My drawers say the same.",
        surprises="That I like working with people as much as alone.",
        factors=(
            (
                "The county renews forty schools by 2035",
                "opportunity",
                "no",
                4,
                5,
                "County plan",
                "policy",
                "Learn building law now",
            ),
            ("Budgets are cut when prices rise", "threat", "no", 4, 4, "Trade journal", "market", ""),
            (
                "I can draw and build models fast",
                "strength",
                "yes",
                5,
                3,
                "Studio grades",
                "abilities",
                "Show models in the portfolio",
            ),
            ("I avoid talking about money", "weakness", "yes", 4, 3, "My adviser", "money", "Learn to write an offer"),
        ),
        options=("Interior designer for public buildings", "Exhibition designer", "Product designer"),
        codes=("27-1025.00", "27-1024.00", "17-1011.00"),
        aim="",
        education=4,
        reason="The schools are being built now, and it is what I would do unpaid.",
        path=("entrepreneurship", "An office of my own, later", "Choose the projects; but first learn the trade"),
        other_path=("technical", "Specialist in acoustics", "Rare knowledge; less drawing"),
        milestones=("Junior designer in a school project", "Own a small project from start to opening"),
        goals=(
            ("short", "A portfolio with three rooms for learning", "Three finished, printed projects"),
            ("medium", "Two years in an office that builds schools", "Contract and a reference letter"),
            ("life", "One room that pupils remember", "Somebody tells me so"),
        ),
        levels=(
            "One project begun",
            "One finished",
            "Three finished and printed",
            "Four, one of them built",
            "An office asks to keep it",
        ),
        smart=(
            "Three rooms",
            "Finished and printed",
            "One a month is possible",
            "Offices ask for nothing else",
            "Before the fair in March",
        ),
        actions=(
            ("work", "Offer my acoustics study to two offices", 0),
            ("education", "Take the building-law seminar", 1),
            ("training", "Learn to write an offer, with the start-up centre", 1),
        ),
    ),
    Story(
        ambition="I want to bring small producers and large buyers together so that both earn fairly, and one day to "
        "speak for them where rules are made.",
        why="My parents sold their harvest at whatever price the one buyer named.",
        model=("A cooperative's manager I interviewed", "He publishes every price he pays."),
        cards=("fairness", "voice", "meeting", "pay"),
        fits="People and order both high; I do plan my weeks, and I like to negotiate.",
        surprises="Lower on ideas. I prefer what has been tried.",
        factors=(
            (
                "New rules ask large firms to show where goods come from",
                "opportunity",
                "no",
                5,
                4,
                "Trade lecture",
                "policy",
                "Write my thesis about it",
            ),
            ("Exchange rates can undo a year's work", "threat", "no", 3, 5, "Course on trade", "market", ""),
            (
                "I speak three of the languages needed",
                "strength",
                "yes",
                5,
                4,
                "Certificates",
                "abilities",
                "Keep all three in use",
            ),
            (
                "Few contacts outside the university",
                "weakness",
                "yes",
                4,
                3,
                "Self-assessment",
                "place",
                "Visit two cooperatives in the break",
            ),
        ),
        options=("Sourcing manager for fair trade", "Export consultant", "Civil servant for trade"),
        codes=("13-1082.00", "13-1161.00", "11-2021.00"),
        aim="11-1021.00",
        education=6,
        reason="It pays both sides and uses my languages; the ministry can come later.",
        path=("administration", "Lead purchasing", "Influence over many contracts"),
        other_path=("own", "Speak for a cooperative", "Close to the people; uncertain pay"),
        milestones=("Trainee in a purchasing team", "Responsible for one region"),
        goals=(
            ("short", "A trainee place before graduation", "Contract signed by March"),
            ("medium", "Negotiate a contract that lasts three years", "Contract with five producers"),
            ("long", "Advise on a trade rule", "Named in a consultation"),
        ),
        levels=("No answer", "An interview", "A contract by March", "A contract by January", "A choice of two"),
        smart=("A trainee place", "Signed by March", "Two firms know me", "It pays for the rest", "By March"),
        actions=(
            ("work", "Visit two cooperatives in the break", 0),
            ("training", "Course on contract law for trade", 1),
            ("job_rotation", "One month in the logistics office", 0),
        ),
    ),
)

# Which story people of a programme tell; those of another one take turns.
STORY_OF = {"Nursing": 0, "Biology": 0, "Computing": 1, "Engineering": 1, "Design": 2, "Languages": 3, "Business": 3}


def story_of(programme: str, number: int) -> Story:
    """The story that somebody of a programme tells, the `number`-th who writes."""
    return STORIES[STORY_OF.get(programme, number % len(STORIES))]


CHINESE = Story(
    ambition="我想成为一名能让老人也用得顺手的软件设计师,让技术不再把他们挡在门外,并带领一个互相尊重的小团队。",
    why="外婆看不懂医院的挂号软件,每次都要等我放假回家。",
    model=("实习时的导师", "她总是先问用户,再打开电脑。"),
    cards=("helping", "learning", "security", "ideas"),
    fits="与人合作这一项很符合我,我喜欢把事情讲清楚。",
    surprises="条理性比我想的低。",
    factors=(
        ("社区养老服务正在数字化", "opportunity", "no", 4, 4, "市政规划", "society", "申请社区的实习"),
        ("行业竞争激烈,岗位减少", "threat", "no", 4, 4, "招聘会", "market", "多准备一个方向"),
        ("做过两个真实项目", "strength", "yes", 5, 3, "项目证明", "abilities", "放进作品集"),
        ("英语口语不好", "weakness", "yes", 4, 2, "自评", "abilities", "每周练习一次"),
    ),
    options=("用户体验设计师", "前端工程师", "产品经理"),
    codes=(),
    aim="",
    education=4,
    reason="最符合我的兴趣和长处,也是我愿意长期做的事。",
    path=("technical", "成为专家", "离用户最近"),
    other_path=("administration", "带团队", "影响更大,但离设计更远"),
    milestones=("进入设计团队实习", "独立负责一个产品"),
    goals=(
        ("short", "完成作品集", "三个完整项目"),
        ("medium", "成为正式设计师", "签订劳动合同"),
        ("life", "让外婆自己挂上号", "她打电话告诉我"),
    ),
    levels=("没有开始", "完成一个项目", "完成三个项目", "四个项目并公开", "有公司主动联系"),
    smart=("三个项目", "数得清", "课余时间够用", "招聘都要看", "学期结束前"),
    actions=(
        ("work", "申请暑期实习", 0),
        ("training", "参加可用性测试培训", 1),
        ("education", "旁听心理学课程", 1),
    ),
    criteria=("性格", "兴趣", "专长", "能力", "外部环境"),
    way_criteria=("适合我的做事方式", "从现在的位置走得到"),
    drawback="需要耐心，头几年最难",
    proof="确认信",
)
CHINESE_REMARKS = Remarks(
    returned="请再补充第三个选项的理由。",
    skipped="已经拿到录用通知,不必再比较。",
    round_done="第一轮完成",
    thanks="谢谢,我会再想想。",
    comment="写得很清楚,下次见面再谈。",
    recommended="您的答案也指向这里,可以和两位校友聊聊。",
    reopened="按您的请求,请再看看这个选择。",
    second_thoughts="我各待了一周,另一个才是我每天想做的事。",
    what_if="如果选择备选会怎样?",
)
