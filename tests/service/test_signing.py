import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.signing import SignatureError, check_webhook, secret_bytes, sign_webhook
from tests.drilling import PROPERTY

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"x" * 32).decode()
BODY = b'{"test": 2432232314}'


def is_signed(secret: str, headers: dict[str, str], body: bytes, now: float) -> bool:
    try:
        check_webhook([secret], headers, body, now)
    except SignatureError:
        return False
    return True


def test_a_signature_is_the_one_that_the_standard_publishes() -> None:
    headers = sign_webhook(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.drill("R20")
def test_either_of_two_secrets_opens_while_one_is_replaced() -> None:
    headers = sign_webhook(f"{SECRET} {OTHER}", "msg_1", 1_000, BODY)
    assert is_signed(SECRET, headers, BODY, 1_000)
    assert is_signed(OTHER, headers, BODY, 1_000)
    assert not is_signed("whsec_" + base64.b64encode(b"y" * 32).decode(), headers, BODY, 1_000)


@pytest.mark.drill("R20")
@pytest.mark.parametrize(("now", "accepted"), [(1_300, True), (700, True), (1_301, False), (699, False)])
def test_five_minutes_are_the_limit(now: int, *, accepted: bool) -> None:
    assert is_signed(SECRET, sign_webhook(SECRET, "msg_1", 1_000, BODY), BODY, now) is accepted


@pytest.mark.drill("R20")
@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1001"},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
    ],
)
def test_a_changed_header_is_refused(change: dict[str, str]) -> None:
    assert not is_signed(SECRET, sign_webhook(SECRET, "msg_1", 1_000, BODY) | change, BODY, 1_000)


@pytest.mark.drill("R11", "R20")
@PROPERTY
@given(st.binary(max_size=64), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_refused(body: bytes, place: int, flip: int) -> None:
    headers = sign_webhook(SECRET, "msg_1", 1_000, body)
    assert is_signed(SECRET, headers, body, 1_000)
    changed = bytearray(body or b"\x00")
    changed[place % len(changed)] ^= flip
    assert not is_signed(SECRET, headers, bytes(changed) if body else b"\x00", 1_000)


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64"]
)
def test_a_bad_secret_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="at least 24 bytes in base64") as caught:
        secret_bytes(text)
    assert "not base64" not in str(caught.value)
