"""Facts about an entry: all that is known, and no secret."""

from __future__ import annotations

from dataclasses import fields, replace

from journey.api.models import TaskStatus
from journey.history import Entry, Moment, State
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.stored import StoredPicture
from journey.views.facts import as_markdown, facts, steps, whole_addresses
from journey.views.words import file_size

ENTRY = Entry(
    id="0123456789abcdef",
    provider=JOURNEYAPI,
    type="4x",
    name="koi [pond](x)",
    state=State.OPEN,
    credits=2,
    attempts=1,
    archive_attempts=3,
    created_at=1_800_000_000,
    changed_at=1_800_000_060,
    network="asked",
    person="ann@example.com",
    image_url="https://example.com/a.png",
    parent_task_id="parent-1",
    index="3",
    source=StoredPicture("s" * 32, "koi.png", 640, 480),
    source_size=(640, 480),
    webhook_url="https://hooks.example.com/services/T0KEN",
    webhook_token="0UR-T0KEN",
    task_id="task-1",
    task_status=TaskStatus.PROCESSING,
    percentage=42,
    result_url="https://cdn.example.com/r.png",
    result=StoredPicture("r" * 32, "koi_4x.png", 2560, 1920),
    result_size=(2560, 1920),
    result_bytes=3_000_000,
    result_model="used",
    error="It said no.",
    note="Waits.",
    due_at=1_800_000_100,
    submitted_at=1_800_000_001,
    finished_at=1_800_000_090,
    batch="b-1",
    came_from="parent-0",
    came_from_index="2",
    then_type="2x",
    then_network="later",
    follows="fedcba9876543210",
)


def test_every_known_fact_is_told() -> None:
    """Each thing that is known of an entry is among its facts, except its secrets, keys, comment and raw answer."""
    told = facts(ENTRY, timezone=None, now=1_800_000_061)
    text = "\n".join(f"{name}: {value}" for name, value in told.items())
    expected = """koi [pond](x)|0123456789abcdef|task-1|processing|42 %|Upscaling|JourneyAPI|asked|used|4x|640 × 480 px
        |2560 × 1920 px|8.5 × 6.4 in|koi_4x.png|3,000,000 bytes|2 min|ann@example.com|15 Jan 2027, 08:00:00|b-1
        |https://example.com/a.png|parent-1, picture 3|parent-0, picture 2|hooks.example.com|It said no.|Waits.
        |Step 1 of 2: 4x, then 2x on this machine, up to 8x in all.|later|fedcba9876543210|Times sent: 1|again: 3|https://cdn.example.com/r.png"""
    assert [] == [value for value in expected.split("|") if value.strip() not in text]
    assert "T0KEN" not in text
    hidden = {"webhook_token", "result_key", "answer", "comment"}
    optional = [field.name for field in fields(Entry) if getattr(ENTRY, field.name) is None]
    assert set(optional) <= hidden


def test_what_is_not_known_is_left_out() -> None:
    """A fact without a value has no line; the address of our own result is not told."""
    bare = replace(
        ENTRY, provider=THIS_MACHINE, person=None, task_id=None, finished_at=None, webhook_url=None, error=""
    )
    told = facts(bare, timezone="Asia/Tokyo", now=0)
    assert not {"Who", "Task ID", "Ended", "Took", "Webhook", "Error", "Address of the result"} & told.keys()
    assert "15 Jan 2027, 17:00:00" == told["Added"]


def test_addresses_are_masked_and_their_owner_can_open_them() -> None:
    """Facts hold no signature of an address; whoever queued the entry has links with the whole ones."""
    signed = "https://me:S1GNED@cdn.example.com/r.png?X-Amz-Signature=S1GNED"
    entry = replace(ENTRY, image_url=signed, result_url=f"{signed}#2")
    told = facts(entry, timezone=None, now=0)
    assert "https://…@cdn.example.com/r.png?X-Amz-Signature=…" == told["Address of the picture"]
    assert "S1GNED" not in "".join(told.values())
    assert [signed, f"{signed}#2"] == list(whole_addresses(entry, "ann@example.com").values())
    assert {} == whole_addresses(entry, "bob@example.com") == whole_addresses(entry, None)
    assert {} == whole_addresses(replace(entry, image_url="javascript:x", result_url=None), "ann@example.com")
    assert "S1GNED" not in as_markdown(f"at {signed}") + as_markdown("S1GNED&a=b")


def test_a_time_line_says_how_long_each_state_lasted() -> None:
    """Each step says how long it lasted; the last one until now, or nothing when the entry is over."""
    moments = [Moment(100.0, State.QUEUED, None), Moment(102.0, State.SUBMITTING, "a"), Moment(163.0, State.OPEN, None)]
    told = steps(moments, timezone=None, now=283.0)
    assert ["2 s", "61 s", "2 min"] == [step.lasted for step in told]
    assert ("Being sent", "a") == (told[1].state, told[1].words)
    over = steps([*moments, Moment(200.0, State.FINISHED, None)], timezone=None, now=999.0)
    assert ["2 s", "61 s", "37 s", ""] == [step.lasted for step in over]
    assert [] == steps([], timezone=None, now=0.0)


def test_addresses_do_not_become_links() -> None:
    """Text from outside is shown as it is: what a browser would turn into a link is code, whatever is in it."""
    assert "`` https://evil.example/`x` ``" == as_markdown("https://evil.example/`x`")
    assert "` ann@example.com `" == as_markdown("ann@example.com")
    assert r"\[click\]\(x\)" == as_markdown("[click](x)")
    assert "" == as_markdown("")


def test_room_is_told_in_a_unit_that_fits() -> None:
    """Sizes are told in the largest unit that they fill."""
    assert ["0 KB", "1.0 MB", "1023.0 MB", "1.0 GB", "1.3 TB"] == [
        file_size(size) for size in (0, 2**20, 1023 * 2**20, 2**30, 1_400_000_000_000)
    ]
