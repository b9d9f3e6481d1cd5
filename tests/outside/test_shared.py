"""Pages that share a picture say what to do, and where the picture itself is when that can be told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.outside.shared import picture_itself, shared_by

JOB = "994c2844-85a8-4a2b-9c1d-0123456789ab"


@pytest.mark.parametrize(
    ("url", "said", "itself"),
    [
        (
            "https://www.dropbox.com/s/abc/koi.png?dl=0",
            "raw=1 in place of dl=0",
            "https://www.dropbox.com/s/abc/koi.png?raw=1",
        ),
        (
            "https://www.dropbox.com/scl/fi/abc/koi.png?rlkey=x&st=y&dl=0",
            "Dropbox",
            "https://www.dropbox.com/scl/fi/abc/koi.png?rlkey=x&st=y&raw=1",
        ),
        ("https://www.dropbox.com/s/abc/koi.png?raw=1", "Dropbox", None),
        (
            "https://drive.google.com/file/d/1AbCdEfGhIjKlMn_-o/view?usp=sharing",
            "Google Drive",
            "https://drive.google.com/uc?export=download&id=1AbCdEfGhIjKlMn_-o",
        ),
        (
            "https://drive.google.com/open?id=1AbCdEfGhIjKlMn&resourcekey=0-x",
            "Google Drive",
            "https://drive.google.com/uc?export=download&id=1AbCdEfGhIjKlMn&resourcekey=0-x",
        ),
        ("https://drive.google.com/drive/folders/", "Google Drive", None),
        ("https://photos.app.goo.gl/abc", "Google Photos", None),
        (
            "https://www.google.com/imgres?imgurl=https%3A%2F%2Fpictures.example%2Fkoi.png&tbnid=x",
            "Google Images",
            "https://pictures.example/koi.png",
        ),
        ("https://1drv.ms/i/s!abc", "OneDrive", None),
        ("https://firm-my.sharepoint.com/:i:/g/personal/a", "OneDrive", None),
        ("https://share.icloud.com/photos/abc", "iCloud", None),
        ("https://www.icloud.com/photos/#abc", "iCloud", None),
        ("https://imgur.com/AbCdEf1", "begins with i.imgur.com", "https://i.imgur.com/AbCdEf1.png"),
        ("https://imgur.com/gallery/AbCdEf1", "Imgur", None),
        (
            f"https://www.midjourney.com/jobs/{JOB}?index=2",
            "copy its image address",
            f"https://cdn.midjourney.com/{JOB}/0_2.png",
        ),
        (f"https://www.midjourney.com/app/jobs/{JOB}/", "Midjourney", f"https://cdn.midjourney.com/{JOB}/0_0.png"),
        ("https://www.midjourney.com/showcase", "Midjourney", None),
        ("https://discord.com/channels/1/2/3", "copy the link of the picture", None),
        ("https://ptb.discord.com/channels/@me/2/3", "Discord", None),
        ("https://github.com/a/b/blob/main/koi.png", "Raw", "https://github.com/a/b/raw/main/koi.png"),
        (
            "https://gitlab.com/a/b/-/blob/main/koi.png?ref_type=heads",
            "Raw",
            "https://gitlab.com/a/b/-/raw/main/koi.png",
        ),
        (
            "https://commons.wikimedia.org/wiki/File:Koi_(fish).jpg",
            "Original file",
            "https://commons.wikimedia.org/wiki/Special:FilePath/Koi_(fish).jpg",
        ),
        (
            "https://de.wikipedia.org/wiki/Datei:Koi.png",
            "Original file",
            "https://de.wikipedia.org/wiki/Special:FilePath/Koi.png",
        ),
        ("https://we.tl/t-abc", "upload the file here", None),
    ],
)
def test_each_page_says_what_to_do(url: str, said: str, itself: str | None) -> None:
    """The sentence names the service and the way to the picture; its address is told only where it follows."""
    assert said in (shared_by(url) or "")
    assert itself == picture_itself(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://pictures.example/koi.png",
        "https://i.imgur.com/AbCdEf1.png",
        f"https://cdn.midjourney.com/{JOB}/0_0.png",
        "https://cdn.discordapp.com/attachments/1/2/koi.png",
        "https://dl.dropboxusercontent.com/s/abc/koi.png",
        "https://raw.githubusercontent.com/a/b/main/koi.png",
        "https://upload.wikimedia.org/wikipedia/commons/a/ab/Koi.jpg",
        "https://discord.com/attachments",
        "https://evil-dropbox.com/",
        "https://dropbox.com.evil.example/",
        "http://[::1",
    ],
)
def test_other_addresses_share_nothing(url: str) -> None:
    """An address of a picture, and a host that only looks like a service, are none of these pages."""
    assert shared_by(url) is None
    assert picture_itself(url) is None


@given(st.text(), st.sampled_from(["drive.google.com/", "www.google.com/imgres?", "imgur.com/", "github.com/a/blob/"]))
def test_any_text_is_read(text: str, start: str) -> None:
    """No text breaks the reading."""
    picture_itself(f"https://{start}{text}")
    picture_itself(text)
