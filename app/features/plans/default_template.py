"""The recipe a new organization begins with, in our own words, in English and in Simplified Chinese."""

from __future__ import annotations

from typing import Any

from app.domain.steps import StepKey

# Days after the start: a step a fortnight, and the review half a year after the plan is complete.
_DAYS = {key: 14 * key.number for key in StepKey} | {StepKey.REVIEW: 14 * 7 + 182}

_ENGLISH = {
    StepKey.AMBITION: (
        "Say where you would like your working life to go, in your own words. It may be a job, a way of working or "
        "a difference you want to make.\n\n"
        "Then write why it matters to you, and name people whose way you admire. Last, put what matters most to you "
        "at work in order, the most important first. There is no wrong answer, and you can change it later."
    ),
    StepKey.SELF_ASSESSMENT: (
        "Answer the questionnaires below. They show what you like, how you tend to work and what you can build on.\n\n"
        "Read the results as a start of a conversation, not as a verdict. Then write what fits you, what surprised "
        "you, and what you would add."
    ),
    StepKey.OPPORTUNITIES: (
        "Look around you. What in your field, your region, your family or your studies could help your plan, and "
        "what could get in its way?\n\n"
        "Name at least one thing you cannot control and one that worries you. Say for each how likely it is, how "
        "much it would matter, and where you read or heard of it."
    ),
    StepKey.CAREER_CHOICE: (
        "Put at least three options side by side. Decide first what a good choice must fit: your personality, your "
        "interests, what you have specialised in, your abilities, and the world around you. Give the criteria that "
        "matter more a larger weight.\n\n"
        "Rate every option on every criterion from 1 to 5. The sum helps you to think; the choice stays yours. Name "
        "your first choice, a runner-up, and the reason."
    ),
    StepKey.CAREER_PATH: (
        "There is more than one way up. Compare leading people and projects, growing as an expert, and building "
        "something of your own; add another way if you see one.\n\n"
        "Choose one and set milestones: the positions or stages on the way, with a rough date for each."
    ),
    StepKey.GOALS: (
        "Turn your path into goals: some for the coming year, some for the next five, some for the next ten, and "
        "one for life.\n\n"
        "Write each so that you will know when you have reached it: what exactly, how you will measure it, and by "
        "when. A short-term goal may belong to a larger one."
    ),
    StepKey.ACTION_PLAN: (
        "For each goal, write what you will do: work, training, education, or trying another role.\n\n"
        "Give every action a start and a due day, and say what must be done before it. Say where it stands whenever "
        "that changes, and note what shows that it is done, or add a file."
    ),
    StepKey.REVIEW: (
        "A plan is never finished. When we ask you to review it, tell us how your goals are going, what has changed "
        "around you, and what you want to keep, adjust or rethink. It takes about five minutes."
    ),
}
_CHINESE = {
    StepKey.AMBITION: (
        "用自己的话说说您希望职业生涯走向哪里：可以是一份工作、一种工作方式，或者您想带来的改变。\n\n"
        "然后写下它为什么对您重要，以及您欣赏哪些人的道路。最后，把您在工作中最看重的东西按重要程度排序。"
        "没有标准答案，以后随时可以修改。"
    ),
    StepKey.SELF_ASSESSMENT: (
        "请完成下面的问卷。它们显示您喜欢什么、习惯怎样做事、有哪些可以依靠的长处。\n\n"
        "结果是谈话的开始，不是结论。请写下哪些符合您、哪些让您意外、您还想补充什么。"
    ),
    StepKey.OPPORTUNITIES: (
        "看看您的周围：专业领域、所在地区、家庭和学习中，哪些会帮助您的规划，哪些会成为阻碍？\n\n"
        "至少写出一件您无法控制的事和一件让您担心的事。为每一项说明可能性、影响程度以及信息来源。"
    ),
    StepKey.CAREER_CHOICE: (
        "把至少三个选项放在一起比较。先想清楚好的选择要符合什么：性格、兴趣、专长、能力和外部环境；"
        "更看重的标准给更大的权重。\n\n"
        "为每个选项的每个标准打 1 到 5 分。总分帮助您思考，选择仍由您决定。写下首选、备选和理由。"
    ),
    StepKey.CAREER_PATH: (
        "向上的路不止一条。比较管理、专业技术和创业；如果您看到别的路，也可以加上。\n\n"
        "选定一条并设置里程碑：途中的职位或阶段，以及大致的日期。"
    ),
    StepKey.GOALS: (
        "把道路变成目标：今年的、五年内的、十年内的，以及一生的。\n\n"
        "写得让您知道何时算达成：具体是什么、怎样衡量、什么时候。短期目标可以属于更大的目标。"
    ),
    StepKey.ACTION_PLAN: (
        "为每个目标写下您要做的事：工作、培训、学历教育或轮岗。\n\n"
        "给每项行动一个开始日和截止日，并写明它要等哪些行动先完成。进展有变化时随时更新，记下可以证明完成的材料，或上传文件。"
    ),
    StepKey.REVIEW: (
        "规划永远不会写完。当我们请您回顾时，请告诉我们目标进展如何、周围有什么变化、"
        "哪些要保留、调整或重新考虑。大约需要五分钟。"
    ),
}


def default_content(language: str) -> dict[str, Any]:
    """The recipe as plain JSON; "zh" gives Simplified Chinese, anything else English."""
    words = _CHINESE if language == "zh" else _ENGLISH
    return {
        "steps": {
            key.value: {
                "enabled": True,
                "guidance": words[key],
                "due": {"kind": "after_start", "days": _DAYS[key]},
            }
            for key in StepKey
        }
    }
