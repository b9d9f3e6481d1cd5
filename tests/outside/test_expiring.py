"""A signed address says itself when it ends, in the words of the service that signed it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey.outside.expiring import expires_at

END = datetime(2023, 9, 12, 10, 30, tzinfo=UTC)
EPOCH = int(END.timestamp())


def coded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


POLICY = base64.b64encode(
    json.dumps({"Statement": [{"Condition": {"DateLessThan": {"AWS:EpochTime": EPOCH}}}]}).encode()
).decode()

SIGNED = {
    "Discord": f"https://cdn.discordapp.com/attachments/1/2/a.png?ex={EPOCH:x}&is=650037d1&hm=0a1b2c&",
    "Discord's proxy": f"https://media.discordapp.net/attachments/1/2/a.png?width=400&ex={EPOCH:X}&is=1&hm=2",
    "Meta": f"https://scontent.xx.fbcdn.net/v/a.jpg?oh=00_A&oe={EPOCH:08X}",
    "S3": "https://b.s3.amazonaws.com/a.png?X-Amz-Date=20230912T093000Z&X-Amz-Expires=3600&X-Amz-Signature=0",
    "S3 in small letters": "https://b.example/a.png?x-amz-date=20230911T103000Z&x-amz-expires=86400",
    "S3, older": f"https://b.s3.amazonaws.com/a.png?AWSAccessKeyId=A&Expires={EPOCH}&Signature=x%3D",
    "Google": "https://storage.googleapis.com/b/a.png?X-Goog-Date=20230912T100000Z&X-Goog-Expires=1800",
    "Alibaba": "https://b.oss-eu.example/a.png?x-oss-date=20230912T100000Z&x-oss-expires=1800",
    "CloudFront": f"https://d1.cloudfront.net/a.png?Expires={EPOCH}&Signature=x&Key-Pair-Id=K",
    "CloudFront with a policy": f"https://d1.cloudfront.net/a.png?Policy={POLICY.replace('=', '_')}&Signature=x",
    "Azure": "https://a.blob.core.windows.net/b/a.png?sv=2022&se=2023-09-12T10%3A30%3A00Z&sr=b&sig=x",
    "Azure, to the minute": "https://a.blob.core.windows.net/b/a.png?se=2023-09-12T10:30Z&sig=x",
    "Azure elsewhere": "https://a.blob.core.windows.net/b/a.png?se=2023-09-12T12:30:00+02:00&sig=x",
    "Akamai": f"https://a.akamaized.net/a.png?hdnts=st=1~exp={EPOCH}~acl=/*~hmac=0",
    "Tencent": f"https://b.cos.example/a.png?q-sign-time=1694000000;{EPOCH}&q-signature=0",
    "a token": f"https://x.example/sign/a.png?token={coded({'alg': 'HS256'})}.{coded({'exp': EPOCH})}.sig",
    "milliseconds": f"https://x.example/a.png?expires={EPOCH}000",
    "the earlier of two": f"https://x.example/a.png?Expires={EPOCH}&exp={EPOCH + 5}",
}


@pytest.mark.parametrize("url", SIGNED.values(), ids=SIGNED)
def test_the_end_of_a_signed_address_is_read(url: str) -> None:
    """Each service's own way of saying it gives the same moment."""
    assert END == expires_at(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "https://example.com/a.png?ex=650037d1",  # a field of Discord, elsewhere
        "https://notdiscordapp.com/a.png?ex=650037d1",
        "https://cdn.discordapp.com/a.png?ex=soon",
        "https://example.com/a.png?expires=never",
        "https://example.com/a.png?Expires=12",
        "https://example.com/a.png?exp=2",
        "https://example.com/a.png?se=2023-09-12",  # without a signature it may be anything
        "https://example.com/a.png?X-Amz-Date=20230912T093000Z",
        "https://example.com/a.png?X-Amz-Date=x&X-Amz-Expires=3600",
        "https://example.com/a.png?X-Amz-Date=99991231T235959Z&X-Amz-Expires=99999999",
        "https://example.com/a.png?token=eyJx.eyJx.x",
        "http://[::1/a.png?Expires=1694514600",
        "https://example.com/a.png?" + "a=1&" * 500 + "Expires=1694514600",
        "",
    ],
    ids=lambda url: url[-40:],
)
def test_other_addresses_do_not_end(url: str) -> None:
    """A number that may mean anything, an impossible date and a broken address say nothing."""
    assert expires_at(url) is None


@given(
    st.sampled_from(
        ["ex", "Expires", "se", "sig", "X-Amz-Date", "X-Amz-Expires", "Policy", "token", "q-sign-time", "oe"]
    ),
    st.text(max_size=30),
    st.text(max_size=30),
)
@settings(deadline=None, max_examples=300)
def test_odd_addresses_raise_nothing(name: str, value: str, rest: str) -> None:
    """Whatever stands in an address, it has an end or none."""
    end = expires_at(f"https://cdn.discordapp.com/a?{name}={value}&sig=1&X-Amz-Expires=9{rest}")
    assert end is None or end.tzinfo is UTC
