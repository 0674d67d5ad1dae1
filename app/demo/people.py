"""Made-up people: a roster file from a seed. Names are common ones of several cultures, joined at random."""

from __future__ import annotations

import csv
import random
import unicodedata
from dataclasses import dataclass
from pathlib import Path

PROGRAMMES = ("Business", "Computing", "Engineering", "Languages", "Nursing", "Design", "Biology")
CAMPUSES = ("City", "Riverside", "Online")
HEADING = (
    *("Student number", "Given name", "Family name", "E-mail"),
    *("Programme", "Year", "Campus", "Counsellor's e-mail", "Active"),
)
_CULTURES: tuple[tuple[str, str], ...] = (
    (
        "Aoife Ciarán Saoirse Oisín Róisín Fionn Gráinne Cormac Niall Sinéad",
        "Byrne Doyle Gallagher Kelleher Nolan O'Shea Quinlan Reilly Tierney Walsh",
    ),
    (
        "Amelia Ben Charlotte Daniel Eleanor Fred Grace Harry Isla Jack",
        "Atkins Bishop Carter Dawson Ellis Foster Grant Hughes Ingram Marsh",
    ),
    (
        "Adaeze Chidi Emeka Funmi Ifeoma Kelechi Ngozi Obinna Sade Tunde",
        "Abiola Balogun Chukwu Danjuma Eze Folarin Ibe Nwosu Olawale Uche",
    ),
    (
        "Aarav Diya Ishaan Kavya Meera Nikhil Priya Rohan Sanjana Vikram",
        "Banerjee Chopra Desai Gupta Iyer Joshi Kapoor Menon Nair Rao",
    ),
    (
        "Agnieszka Bartosz Ewa Jakub Kasia Łukasz Magda Paweł Wojciech Zofia",
        "Dąbrowska Jabłoński Kamińska Kowalczyk Lis Nowak Pawlak Wójcik Zając Żak",
    ),
    (
        "Ana Beatriz Caio Davi Elisa João Larissa Mateus Rafaela Thiago",
        "Almeida Barbosa Cardoso Dias Ferraz Gomes Lima Moreira Ramos Teixeira",
    ),
    (
        "Bo Chen Hui Jing Lan Ming Qing Rui Tao Xin",
        "Deng Fang Guo Han Liu Ma Song Wu Xu Zhou",
    ),
    (
        "Amira Bilal Dalia Farid Hana Karim Layla Nabil Rania Yusuf",
        "Abbas Darwish Farouk Habib Khalil Mansour Nasser Rahman Saleh Tahir",
    ),
    (
        "Anh Bình Chi Dũng Hương Khánh Linh Minh Phương Thảo",
        "Bùi Đặng Hoàng Lê Ngô Nguyễn Phạm Phan Trần Vũ",
    ),
    (
        "Ayşe Burak Ceren Deniz Elif Emre Gül Kerem Selin Umut",
        "Acar Bulut Çelik Demir Erdoğan Güneş Kaya Öztürk Şahin Yıldız",
    ),
)
_CHINESE_GIVEN = "子涵 雨桐 浩然 梓萱 思远 佳怡 俊杰 欣妍 天宇 诗琪 一鸣 若曦 明轩 语嫣 志强 晓彤 文博 静怡 嘉豪 梦洁"
_CHINESE_FAMILY = "陈 李 王 张 刘 赵 黄 周 吴 徐 孙 朱 马 胡 郭 林 何 高 梁 郑"


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster that was written: good rows, rows left bad on purpose, and how many have no e-mail."""

    path: Path
    people: int
    bad: int
    without_email: int


def write_roster(path: Path, *, people: int, seed: int, counsellors: tuple[str, ...]) -> Roster:
    """Write `people` good rows and three bad ones, as a registry's export would have them."""
    chance = random.Random(seed)  # noqa: S311 - made-up people need no secret randomness
    without = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADING)
        for number in range(1, people + 1):
            givens, families = chance.choice(_CULTURES)
            given, family = chance.choice(givens.split()), chance.choice(families.split())
            email = f"{_ascii(given)}.{_ascii(family)}{number}@students.example.org"
            if chance.random() < 0.02:
                email, without = "", without + 1
            writer.writerow(
                [
                    *(f"H{number:06d}", given, family, email),
                    *(chance.choice(PROGRAMMES), chance.choice((1, 1, 2, 2, 3, 3, 4)), chance.choice(CAMPUSES)),
                    *(counsellors[number % len(counsellors)], "yes"),
                ]
            )
        writer.writerow([f"H{people + 1:06d}", "", "", "nameless@students.example.org", "Design", 2, "City", "", "yes"])
        writer.writerow([f"H{people + 2:06d}", "Wrong", "Address", "not an address", "Biology", 1, "City", "", "yes"])
        writer.writerow([f"H{people + 3:06d}", "Unknown", "Course", "", "Alchemy", "first", "Moon", "", "yes"])
    return Roster(path, people, 3, without)


def write_chinese_roster(path: Path, *, people: int, seed: int, counsellor: str) -> Roster:
    """Write a small roster with Chinese headings and names."""
    chance = random.Random(seed + 1)  # noqa: S311 - as above
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["学号", "姓", "名", "邮箱", "专业", "年级", "辅导员"])
        for number in range(1, people + 1):
            writer.writerow(
                [
                    f"P{number:05d}",
                    chance.choice(_CHINESE_FAMILY.split()),
                    chance.choice(_CHINESE_GIVEN.split()),
                    f"p{number:05d}@students.pujiang.example.org",
                    chance.choice(CHINESE_PROGRAMMES),
                    chance.choice((1, 2, 3, 4)),
                    counsellor,
                ]
            )
    return Roster(path, people, 0, 0)


CHINESE_PROGRAMMES = ("计算机", "工商管理", "护理", "设计")


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ł", "l").replace("Ł", "L").replace("Đ", "D"))
    return "".join(c for c in plain if c.isascii() and c.isalpha()).lower() or "x"
