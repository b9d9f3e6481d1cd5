"""What people and programs write above the columns of a list, in the languages of spreadsheets."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from enum import Enum, auto


class Role(Enum):
    """What a column holds, as far as its heading says. PICTURE, NUMBER and ID may mean more than one thing."""

    ADDRESS = auto()
    TASK = auto()
    PARENT = auto()
    INDEX = auto()
    PICTURE = auto()
    NUMBER = auto()
    ID = auto()


WORDS: Mapping[Role | None, str] = {
    Role.ADDRESS: """url uri hyperlink link href src adresse address adres direccion indirizzo endereco lien enlace
        collegamento リンク アドレス 链接 鏈接 連結 网址 網址 地址 링크 주소 ссылка адрес""",
    Role.TASK: """task job aufgabe aufgaben auftrag auftrags tâche tarea tarefa attività compito taak タスク ジョブ 任务
        任務 작업 задача задачи""",
    Role.PARENT: "parent eltern übergeordnete padre pai genitore 親 父",
    Role.INDEX: "index indice índice idx インデックス 索引 인덱스 индекс",
    Role.PICTURE: """image picture photo file bild bilder bildes datei foto fichier imagen imágenes archivo immagine
        immagini imagem arquivo afbeelding afbeeldingen plaatje bestand 画像 写真 ファイル 图片 圖片 图像 照片
        이미지 사진 изображение изображения картинка файл""",
    Role.NUMBER: """number nummer numéro número numero num nr no nro position pos 番号 番 编号 編號 序号 序號
        번호 номер""",
    Role.ID: "id ids kennung identifiant identificador identificativo 識別子 标识 標識",
    None: "s es e n en the of to for der des die das zum zur von de du la le l d del el do da di van het の 的",
}
"""The words for each role; those of None say nothing."""

_LONGEST = 60


def role_of(heading: str) -> Role | None:
    """What the column under this heading holds; None when the heading does not say."""
    if heading.strip() == "#":
        return Role.NUMBER
    roles = _roles(heading)
    if Role.PARENT in roles and roles & {Role.TASK, Role.ID}:
        return Role.PARENT
    if {Role.NUMBER, Role.PICTURE} <= roles and Role.TASK not in roles:
        return Role.INDEX
    order = (Role.INDEX, Role.ADDRESS, Role.TASK, Role.ID, Role.NUMBER, Role.PICTURE)
    return next((role for role in order if role in roles), None)


def _roles(heading: str) -> set[Role]:
    if len(heading) > _LONGEST:
        return set()
    words = re.findall(r"[^\W\d_]+", _plain(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading)))
    known = [_parts(word) for word in words]
    # A word that says nothing may stand beside others in a heading; in a name of one word it makes it a task's id.
    if any(parts is None for parts in known) and " " not in heading.strip():
        return set()
    roles = {role for parts in known for part in parts or () if (role := _ROLES[part])}
    return set() if any(map(str.isdigit, heading)) and not roles <= {Role.ADDRESS, Role.PICTURE} else roles


@functools.lru_cache(maxsize=4096)
def _parts(word: str) -> tuple[str, ...] | None:
    """The known words that a compound such as `bildadresse` is made of; None when it has others in it."""
    if not word:
        return ()
    for end in range(len(word), 0, -1):
        if word[:end] in _ROLES and (rest := _parts(word[end:])) is not None:
            return word[:end], *rest
    return None


def _plain(text: str) -> str:
    """In lower case, without accents."""
    apart = unicodedata.normalize("NFKD", text.replace("°", "o").casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


_ROLES: dict[str, Role | None] = {_plain(word): role for role, words in WORDS.items() for word in words.split()}
