"""An address of a reduced copy leads to that of the full picture, and no other address is suspected."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey.outside.reduced import Full, reduced

JOB = "994c2844-85a8-4a2b-9c1d-0123456789ab"

CERTAIN = [
    (
        "https://media.discordapp.net/attachments/1/2/koi.png?ex=65&is=64&hm=ab&=&format=webp&quality=lossless&width=400&height=300",
        "https://cdn.discordapp.com/attachments/1/2/koi.png?ex=65&is=64&hm=ab",
    ),
    (
        "https://media.discordapp.net/attachments/1/2/koi.png?width=400&height=300",
        "https://cdn.discordapp.com/attachments/1/2/koi.png",
    ),
    (f"https://cdn.midjourney.com/{JOB}/0_1_640_N.webp", f"https://cdn.midjourney.com/{JOB}/0_1.png"),
    (f"https://cdn.midjourney.com/{JOB}/0_0_384_N.webp?method=shortest", f"https://cdn.midjourney.com/{JOB}/0_0.png"),
    (f"https://cdn.midjourney.com/{JOB}/grid_0_640_N.webp", f"https://cdn.midjourney.com/{JOB}/grid_0.png"),
    ("https://blog.example/wp-content/uploads/2024/05/koi-300x200.jpg", "https://blog.example/wp-content/uploads/2024/05/koi.jpg"),
    ("https://blog.example/wp-content/uploads/koi-2048x1536.png?ver=2", "https://blog.example/wp-content/uploads/koi.png?ver=2"),
    ("https://i0.wp.com/blog.example/koi.jpg?resize=300%2C200&ssl=1", "https://i0.wp.com/blog.example/koi.jpg?ssl=1"),
    ("https://lh3.googleusercontent.com/abc-D_e=w400-h300", "https://lh3.googleusercontent.com/abc-D_e=s0"),
    ("https://lh3.googleusercontent.com/abc=w400-h300-no?authuser=0", "https://lh3.googleusercontent.com/abc=s0?authuser=0"),
    ("https://lh5.googleusercontent.com/abc=s400", "https://lh5.googleusercontent.com/abc=s0"),
    ("https://yt3.ggpht.com/abc=s88-c-k-c0x00ffffff-no-rj", "https://yt3.ggpht.com/abc=s0"),
    ("https://1.bp.blogspot.com/-a/b/c/d/s320/koi.jpg", "https://1.bp.blogspot.com/-a/b/c/d/s0/koi.jpg"),
    ("https://pbs.twimg.com/media/Abc?format=jpg&name=small", "https://pbs.twimg.com/media/Abc?format=jpg&name=orig"),
    ("https://pbs.twimg.com/media/Abc?format=png&name=900x900", "https://pbs.twimg.com/media/Abc?format=png&name=orig"),
    ("https://pbs.twimg.com/media/Abc.jpg:large", "https://pbs.twimg.com/media/Abc.jpg:orig"),
    ("https://pbs.twimg.com/profile_images/1/koi_normal.jpg", "https://pbs.twimg.com/profile_images/1/koi.jpg"),
    ("https://cdn.shopify.com/s/files/1/2/products/koi_300x.jpg?v=1", "https://cdn.shopify.com/s/files/1/2/products/koi.jpg?v=1"),
    ("https://cdn.shopify.com/s/files/1/2/koi_300x300_crop_center@2x.png", "https://cdn.shopify.com/s/files/1/2/koi.png"),
    ("https://cdn.shopify.com/s/files/1/2/koi.png?v=1&width=600", "https://cdn.shopify.com/s/files/1/2/koi.png?v=1"),
    ("https://shop.example/cdn/shop/files/koi_medium.jpg", "https://shop.example/cdn/shop/files/koi.jpg"),
    ("https://preview.redd.it/abc123.png?width=640&auto=webp&s=0f", "https://i.redd.it/abc123.png"),
    ("https://preview.redd.it/a-fine-koi-v0-abc123.jpeg?width=1080&s=0f", "https://i.redd.it/abc123.jpeg"),
    ("https://i.imgur.com/AbCdEf1m.jpg", "https://i.imgur.com/AbCdEf1.jpg"),
    ("https://i.imgur.com/AbCdEf1_d.webp?maxwidth=760&fidelity=grand", "https://i.imgur.com/AbCdEf1.png"),
    (
        "https://upload.wikimedia.org/wikipedia/commons/thumb/a/ab/Koi_%28fish%29.jpg/640px-Koi_%28fish%29.jpg",
        "https://upload.wikimedia.org/wikipedia/commons/a/ab/Koi_%28fish%29.jpg",
    ),
    ("https://images.unsplash.com/photo-1?w=400&q=80&fit=crop&ixid=a", "https://images.unsplash.com/photo-1?ixid=a"),
    ("https://images.pexels.com/photos/1/koi.jpeg?auto=compress&cs=tinysrgb&w=600", "https://images.pexels.com/photos/1/koi.jpeg"),
    ("https://images.squarespace-cdn.com/content/v1/a/koi.jpg?format=300w", "https://images.squarespace-cdn.com/content/v1/a/koi.jpg?format=original"),
    ("https://static.wixstatic.com/media/a_b~mv2.png/v1/fill/w_400,h_300/koi.png", "https://static.wixstatic.com/media/a_b~mv2.png"),
    ("https://i.etsystatic.com/1/r/il/a/2/il_300x300.2_b.jpg", "https://i.etsystatic.com/1/r/il/a/2/il_fullxfull.2_b.jpg"),
    ("https://m.media-amazon.com/images/I/71abc._AC_SX300_.jpg", "https://m.media-amazon.com/images/I/71abc.jpg"),
    ("https://site.example/_next/image?url=%2Fkoi.png&w=640&q=75", "https://site.example/koi.png"),
    ("https://site.example/_next/image?url=https%3A%2F%2Fcdn.example%2Fkoi.png%3Fa%3Db&w=640", "https://cdn.example/koi.png?a=b"),
    ("https://site.example/cdn-cgi/image/width=80,quality=75/https://cdn.example/koi.png", "https://cdn.example/koi.png"),
    ("https://site.example/cdn-cgi/image/width=80/images/koi.png", "https://site.example/images/koi.png"),
    ("https://site.example/content/images/size/w600/2024/koi.png", "https://site.example/content/images/2024/koi.png"),
]  # fmt: skip

LIKELY = [
    ("https://images-ext-1.discordapp.net/external/S1g/https/cdn.example/koi.png", "https://cdn.example/koi.png"),
    ("https://cdn.discordapp.com/avatars/1/a.png?size=128", "https://cdn.discordapp.com/avatars/1/a.png?size=4096"),
    ("https://pictures.example/koi-300x200.jpg", "https://pictures.example/koi.jpg"),
    ("https://pictures.example/abc=w400-h300", "https://pictures.example/abc=s0"),
    ("https://i.pinimg.com/236x/a/b/c/koi.jpg", "https://i.pinimg.com/originals/a/b/c/koi.jpg"),
    ("https://64.media.tumblr.com/a/tumblr_b_500.jpg", "https://64.media.tumblr.com/a/tumblr_b_1280.jpg"),
    ("https://live.staticflickr.com/65535/1_0a_m.jpg", "https://live.staticflickr.com/65535/1_0a_b.jpg"),
    ("https://live.staticflickr.com/65535/1_0a.jpg", "https://live.staticflickr.com/65535/1_0a_b.jpg"),
    ("https://res.cloudinary.com/x/image/upload/w_300,h_200/v1/koi.png", "https://res.cloudinary.com/x/image/upload/v1/koi.png"),
    ("https://miro.medium.com/v2/resize:fit:640/1*a.png", "https://miro.medium.com/1*a.png"),
    ("https://i.ytimg.com/vi/abc/hqdefault.jpg", "https://i.ytimg.com/vi/abc/maxresdefault.jpg"),
    ("https://pictures.example/koi.png?w=400", "https://pictures.example/koi.png"),
    ("https://pictures.example/koi.png?id=7&width=400&height=300&fit=crop", "https://pictures.example/koi.png?id=7"),
    ("https://pictures.example/koi.png?resize=400%2C300", "https://pictures.example/koi.png"),
]  # fmt: skip

NOT_REDUCED = [
    "https://cdn.discordapp.com/attachments/1/2/koi.png?ex=65&is=64&hm=ab",
    "https://media.discordapp.net/attachments/1/2/koi.png?ex=65&is=64&hm=ab&",
    f"https://cdn.midjourney.com/{JOB}/0_1.png",
    f"https://cdn.midjourney.com/{JOB}/0_1.webp",
    f"https://cdn.midjourney.com/{JOB}/grid_0.png",
    "https://blog.example/wp-content/uploads/koi.jpg",
    "https://pictures.example/poster-24x36.jpg",
    "https://pictures.example/wallpaper-3840x2160.jpg",
    "https://lh3.googleusercontent.com/abc=s0",
    "https://pbs.twimg.com/media/Abc?format=jpg&name=orig",
    "https://pbs.twimg.com/media/Abc.jpg:orig",
    "https://i.pinimg.com/originals/a/b/c/koi.jpg",
    "https://cdn.shopify.com/s/files/1/2/products/koi.jpg?v=1",
    "https://i.redd.it/abc123.png",
    "https://i.imgur.com/AbCdEf1.jpg",
    "https://upload.wikimedia.org/wikipedia/commons/a/ab/Koi.jpg",
    "https://upload.wikimedia.org/wikipedia/commons/thumb/a/ab/Koi.svg/640px-Koi.svg.png",
    "https://images.unsplash.com/photo-1",
    "https://pictures.example/koi.png?w=400&sig=abc",
    "https://pictures.example/koi.png?w=6000",
    "https://pictures.example/koi.png?width=auto",
    "https://pictures.example/koi.png?id=400",
    "https://pictures.example/koi_small.png",
    "https://bucket.s3.amazonaws.com/koi.png?X-Amz-Signature=a&width=3",
    "media.discordapp.net/attachments/1/2/koi.png?width=400",
    "ftp://media.discordapp.net/koi.png?width=400",
    "http://[::1",
    "",
]  # fmt: skip


@pytest.mark.parametrize(("url", "full"), CERTAIN)
def test_known_services_have_the_full_picture_elsewhere(url: str, full: str) -> None:
    """Where a service makes copies by a rule, the full picture's address is told, and is not suspected itself."""
    assert Full(full, is_certain=True) == reduced(url)
    assert reduced(full) is None


@pytest.mark.parametrize(("url", "full"), LIKELY)
def test_likely_copies_are_told_as_such(url: str, full: str) -> None:
    """Where it is only likely, the address is told too, and marked as uncertain."""
    assert Full(full, is_certain=False) == reduced(url)


@pytest.mark.parametrize("url", NOT_REDUCED)
def test_other_addresses_are_not_suspected(url: str) -> None:
    """A full picture, a large size, a size in inches and a signed address are left alone."""
    assert reduced(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://64.media.tumblr.com/a/b/s640x960/c.jpg",
        "https://external-preview.redd.it/a.png?width=640&s=0f",
        "https://live.staticflickr.com/65535/1_0a_b.jpg",
        "https://scontent.fbcdn.net/v/t1/s320x320/a.jpg?oe=65",
    ],
)
def test_some_copies_do_not_tell_where_the_full_one_is(url: str) -> None:
    """Where the full picture's address has a part that cannot be known, only the fact is told."""
    assert Full(None) == reduced(url)


@settings(max_examples=300, deadline=None)
@given(st.text(), st.sampled_from(["pbs.twimg.com/media/", "media.discordapp.net/", "a.example/_next/image?url=", ""]))
def test_any_text_is_judged(text: str, start: str) -> None:
    """No text breaks the judgement."""
    reduced(f"https://{start}{text}")
    reduced(text)
