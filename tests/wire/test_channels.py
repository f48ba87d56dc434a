"""Channel names in both spellings, and in templates of one's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.wire.channels import API_PAGE, OPENAPI, ChannelName, Kind, Templates, parse

BTC = "BINANCE:BTC/USDT"

SPELLINGS = [
    ("market:orderBook:BINANCE:BTC/USDT", ChannelName(Kind.BOOK, BTC)),
    ("market:orderbook:BINANCE:BTC/USDT", ChannelName(Kind.BOOK, BTC)),
    ("market:trade:BINANCE:BTC/USDT", ChannelName(Kind.TRADE, BTC)),
    ("market:ticker:BINANCE:BTC/USDT", ChannelName(Kind.TICKER, BTC)),
    ("market:ticker:BINANCE", ChannelName(Kind.VENUE_TICKER, venue="BINANCE")),
    ("market:kline:BINANCE:BTC/USDT:1m", ChannelName(Kind.KLINE, BTC, interval="1m")),
    ("market:kline:BINANCE:BTC/USDT:1M", ChannelName(Kind.KLINE, BTC, interval="1M")),
    ("tradingAccount:desk-1", ChannelName(Kind.ACCOUNT, account_id="desk-1")),
    ("tradingAccount:a:b", ChannelName(Kind.ACCOUNT, account_id="a:b")),
    ("market:orderBook:DERIBIT:BTC/USD:BTC-240927", ChannelName(Kind.BOOK, "DERIBIT:BTC/USD:BTC-240927")),
    (
        "market:kline:DERIBIT:BTC/USD:BTC-240927:15m",
        ChannelName(Kind.KLINE, "DERIBIT:BTC/USD:BTC-240927", interval="15m"),
    ),
]


@pytest.mark.parametrize(("channel", "name"), SPELLINGS, ids=[channel for channel, _ in SPELLINGS])
def test_both_spellings_are_understood(channel: str, name: ChannelName) -> None:
    """Every documented channel is understood, whatever colons the instrument has."""
    assert parse(channel) == name


@pytest.mark.parametrize(
    "channel",
    [
        "",
        "market",
        "market:",
        "market:orderBook:",
        "market:orderBook:BINANCE",
        "market:trade:",
        "tradingAccount:",
        "market:unknown:BINANCE:BTC/USDT",
        "other:BINANCE:BTC/USDT",
        "market:ticker:",
        "market:kline:BINANCE:BTC",
        "market:ticker:" + "A" * 300,
    ],
)
def test_other_channels_are_not_understood(channel: str) -> None:
    """What names no instrument, venue or account is not a channel of ours."""
    assert parse(channel) is None


@pytest.mark.parametrize(
    ("templates", "name", "channel"),
    [
        (API_PAGE, ChannelName(Kind.BOOK, BTC), "market:orderBook:BINANCE:BTC/USDT"),
        (OPENAPI, ChannelName(Kind.BOOK, BTC), "market:orderbook:BINANCE:BTC/USDT"),
        (API_PAGE, ChannelName(Kind.TRADE, BTC), "market:trade:BINANCE:BTC/USDT"),
        (OPENAPI, ChannelName(Kind.TICKER, BTC), "market:ticker:BINANCE:BTC/USDT"),
        (OPENAPI, ChannelName(Kind.VENUE_TICKER, venue="OKX"), "market:ticker:OKX"),
        (OPENAPI, ChannelName(Kind.KLINE, BTC, interval="1h"), "market:kline:BINANCE:BTC/USDT:1h"),
        (API_PAGE, ChannelName(Kind.ACCOUNT, account_id="desk-1"), "tradingAccount:desk-1"),
    ],
)
def test_a_channel_is_spelled_as_the_templates_say(
    templates: Templates, name: ChannelName, channel: str
) -> None:
    """A name becomes the channel of the chosen spelling."""
    assert templates.channel(name) == channel


def test_a_name_that_lacks_its_subject_has_no_channel() -> None:
    """A kline without an interval, a book without an instrument: there is no such channel."""
    assert OPENAPI.channel(ChannelName(Kind.KLINE, BTC)) is None
    assert OPENAPI.channel(ChannelName(Kind.BOOK)) is None
    assert OPENAPI.channel(ChannelName(Kind.BOOK, "BINANCE")) is None


def test_an_empty_template_means_no_such_channel() -> None:
    """A platform without a ticker channel is configured by an empty template."""
    templates = Templates("b:{instrumentId}", "", "", "", "a:{accountId}", "")
    assert templates.channel(ChannelName(Kind.TRADE, BTC)) is None
    assert templates.parse("b:BINANCE:BTC/USDT") == ChannelName(Kind.BOOK, BTC)
    assert templates.parse("market:ticker:BINANCE") is None


def test_own_templates_are_understood_beside_the_documented_ones() -> None:
    """A mixed or private spelling is read by its templates, and the documented ones still are."""
    templates = Templates(
        "mkt.{venue}.book:{symbol}",
        "market:trade:{instrumentId}",
        "mkt.tick:{venue}:{symbol}",
        "k:{interval}:{instrumentId}",
        "acc:{accountId}",
    )
    name = ChannelName(Kind.BOOK, BTC)
    channel = templates.channel(name)
    assert channel == "mkt.BINANCE.book:BTC/USDT"
    assert parse(channel, templates) == name
    assert parse(channel) is None
    assert parse("market:orderbook:BINANCE:BTC/USDT", templates) == name
    assert parse("k:1m:BINANCE:BTC/USDT", templates) == ChannelName(Kind.KLINE, BTC, interval="1m")


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("market:book", "it must name an instrument"),
        ("market:book:{symbol}", "it must name an instrument"),
        ("market:book:{instrument}", "{instrument} is unknown"),
        ("market:book:{instrumentId}{instrumentId}", "stands twice"),
    ],
)
def test_a_template_that_cannot_name_its_subject_is_refused(template: str, sentence: str) -> None:
    """A wrong template is refused with a sentence that says why."""
    with pytest.raises(ValueError, match=sentence.replace("{", r"\{")):
        Templates(template, "", "", "", "")


def test_templates_for_klines_and_accounts_must_name_theirs() -> None:
    """A kline channel names the interval, an account channel the account."""
    with pytest.raises(ValueError, match="an interval"):
        Templates("", "", "", "k:{instrumentId}", "")
    with pytest.raises(ValueError, match="an account"):
        Templates("", "", "", "", "a:{venue}")


VENUES = st.from_regex(r"\A[A-Z0-9_]{1,12}\Z")
SYMBOLS = st.from_regex(r"\A[A-Z0-9/:-]{1,20}\Z").filter(lambda symbol: not symbol.startswith(":"))


@given(
    VENUES,
    SYMBOLS,
    st.sampled_from([API_PAGE, OPENAPI]),
    st.sampled_from([Kind.BOOK, Kind.TRADE, Kind.TICKER]),
)
def test_a_channel_is_read_as_it_was_written(
    venue: str, symbol: str, templates: Templates, kind: Kind
) -> None:
    """Spelling a name and reading it back gives the name."""
    name = ChannelName(kind, f"{venue}:{symbol}")
    channel = templates.channel(name)
    assert channel is not None
    assert parse(channel) == name


@given(st.text())
def test_any_text_is_read_or_not(channel: str) -> None:
    """No channel name, however strange, is an error."""
    name = parse(channel)
    assert name is None or isinstance(name, ChannelName)
