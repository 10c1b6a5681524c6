"""Dutch words for dates and times."""

from llamora.dates.lexicon import LanguageTable, list_words


def _number_ordinals() -> dict[int, str]:
    words = list_words(
        "eerste tweede derde vierde vijfde zesde zevende achtste negende tiende elfde twaalfde dertiende "
        "veertiende vijftiende zestiende zeventiende achttiende negentiende twintigste eenentwintigste "
        "tweeëntwintigste drieëntwintigste vierentwintigste vijfentwintigste zesentwintigste "
        "zevenentwintigste achtentwintigste negenentwintigste dertigste eenendertigste"
    )
    return dict(enumerate(words, 1))


_UNITS = list_words("een twee drie vier vijf zes zeven acht negen")
_SMALL = [
    "",
    *_UNITS,
    *list_words("tien elf twaalf dertien veertien vijftien zestien zeventien achttien negentien"),
]
_TENS = list_words("twintig dertig veertig vijftig zestig zeventig tachtig negentig")


def _write_number(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    ten, unit = divmod(number, 10)
    joiner = "ën" if unit in (2, 3) else "en"
    return (_UNITS[unit - 1] + joiner if unit else "") + _TENS[ten - 2]


def _write_years() -> dict[int, str]:
    written = {}
    for year in range(1100, 2000):
        number = _write_number(year % 100)
        written[year] = f"{_SMALL[year // 100]}honderd{number}, {_SMALL[year // 100]}honderd {number}".rstrip(
            ", "
        )
    for year in range(2001, 2100):
        number = _write_number(year - 2000)
        written[year] = f"tweeduizend{number}, tweeduizend en {number}"
    return written


_PARTS = {"morning": "ochtend, morgen", "afternoon": "middag, namiddag", "evening": "avond", "night": "nacht"}

TABLE = LanguageTable(
    code="nl",
    day_first=True,
    bare_days=True,
    units_first=True,
    joiner="en",
    ordinal_suffixes=frozenset({"e", "de", "ste"}),
    hour_letters=frozenset({"u", "h"}),
    numbers=list_words(
        "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien "
        "zestien zeventien achttien negentien"
    ),
    tens={
        20: "twintig",
        30: "dertig",
        40: "veertig",
        50: "vijftig",
        60: "zestig",
        70: "zeventig",
        80: "tachtig",
        90: "negentig",
    },
    weekday_part=("", _PARTS),
    plurals=frozenset(
        list_words(
            "seconden secondes minuten uren dagen nachten weken weekends maanden kwartalen jaren "
            "decennia eeuwen"
        )
    ),
    words={
        "spoken_year": _write_years(),
        "since": {True: "sinds, vanaf"},
        "weekday": {
            0: "maandag, ma.",
            1: "dinsdag, di.",
            2: "woensdag, wo.",
            3: "donderdag, do.",
            4: "vrijdag, vr.",
            5: "zaterdag, za.",
            6: "zondag, zo.",
        },
        "weekdays": {
            0: "maandags, 's maandags, maandagen",
            1: "dinsdags, 's dinsdags, dinsdagen",
            2: "woensdags, 's woensdags, woensdagen",
            3: "donderdags, 's donderdags, donderdagen",
            4: "vrijdags, 's vrijdags, vrijdagen",
            5: "zaterdags, 's zaterdags, zaterdagen",
            6: "zondags, 's zondags, zondagen",
        },
        "month": {
            1: "januari, jan.",
            2: "februari, feb., febr.",
            3: "maart, mrt., mar.",
            4: "april, apr.",
            5: "mei",
            6: "juni, jun.",
            7: "juli, jul.",
            8: "augustus, aug.",
            9: "september, sep., sept.",
            10: "oktober, okt.",
            11: "november, nov.",
            12: "december, dec.",
        },
        "unit": {
            "second": "seconde, seconden, secondes, sec.",
            "minute": "minuut, minuten, min.",
            "hour": "uur, uren",
            "day": "dag, dagen",
            "night": "nacht, nachten",
            "week": "week, weken",
            "weekend": "weekend, weekeinde, weekends",
            "month": "maand, maanden",
            "quarter": "kwartaal, kwartalen",
            "year": "jaar, jaren",
            "decade": "decennium, decennia",
            "century": "eeuw, eeuwen",
        },
        "unit_letter": {"hour": "u", "minute": "min, m", "second": "s"},
        "half_hour": {
            (30, "minute"): "half uur, halfuur, half uurtje, halfuurtje",
            (15, "minute"): "kwartier, kwartiertje",
            (45, "minute"): "drie kwartier, driekwartier",
            (1, "hour"): "uurtje",
            (0.5, "year"): "half jaar, halfjaar",
            (14, "day"): "twee weekjes",
        },
        "season": {
            "spring": "lente, voorjaar",
            "summer": "zomer",
            "autumn": "herfst, najaar",
            "winter": "winter",
        },
        "daypart": {
            "morning": "ochtend, morgen, voormiddag, ochtends, 's ochtends, 's morgens",
            "afternoon": "middag, namiddag, 's middags",
            "evening": "avond, 's avonds",
            "night": "nacht, 's nachts",
        },
        "inpart": {
            "morning": (
                "'s ochtends, 's morgens, in de ochtend, in de morgen, in de voormiddag, s ochtends, s "
                "morgens, ochtends"
            ),
            "afternoon": "'s middags, in de middag, in de namiddag, s middags, 's namiddags",
            "evening": "'s avonds, in de avond, s avonds",
            "night": "'s nachts, in de nacht, s nachts",
        },
        "relday": {
            0: "vandaag",
            -1: "gisteren",
            1: "morgen",
            -2: "eergisteren, eergister",
            2: "overmorgen",
            -3: ("eereergisteren"),
        },
        "relpart": {
            (0, "evening"): "vanavond, deze avond",
            (0, "night"): "vannacht, deze nacht",
            (0, "morning"): "vanmorgen, vanochtend, deze morgen, deze ochtend",
            (0, "afternoon"): "vanmiddag, deze middag, vannamiddag",
            (-1, "evening"): "gisteravond, gisterenavond",
            (-1, "morning"): "gisterochtend, gistermorgen, gisterenmorgen, gisterenochtend",
            (-1, "afternoon"): "gistermiddag, gisterenmiddag",
            (-1, "night"): "gisternacht, gisterennacht, afgelopen nacht, vorige nacht",
            (1, "evening"): "morgenavond",
            (1, "morning"): "morgenochtend, morgenvroeg",
            (1, "afternoon"): "morgenmiddag",
            (1, "night"): "morgennacht",
            (-2, "evening"): ("eergisteravond, eergisterenavond"),
            (-2, "morning"): ("eergisterochtend, eergistermorgen"),
            (-2, "afternoon"): ("eergistermiddag"),
            (2, "evening"): ("overmorgenavond"),
        },
        "rel": {
            -1: "vorige, vorig, afgelopen, laatste, verleden, voorbije",
            0: "deze, dit, huidige, huidig",
            1: "volgende, volgend, komende, komend, aanstaande, eerstvolgende",
            -2: ("voorlaatste, voorvorige, voorvorig"),
        },
        "post_rel": {1: "aanstaande, a.s., as.", -1: "jongstleden, jl., j.l., laatstleden, ll."},
        "now": {True: "nu, op dit moment"},
        "ago_post": {True: "geleden, terug"},
        "in_pre": {True: "over, over ongeveer, binnen, in"},
        "hence_post": {True: "vanaf nu, vanaf vandaag"},
        "later_post": {True: "later, nadien"},
        "earlier_post": {True: "eerder, ervoor, daarvoor"},
        "before": {True: "voor, vóór"},
        "after": {True: "na"},
        "from_base": {True: "vanaf"},
        "on": {True: "op, aan"},
        "of": {True: "van, van de, van het, in, uit"},
        "in": {True: "in"},
        "the": {True: "de, het, 't, den, der"},
        "at": {True: "om, rond, tegen, vanaf"},
        "from": {True: "van, vanaf"},
        "to": {True: "tot, tot en met, t/m, tm, t.e.m., naar"},
        "between": {True: "tussen"},
        "and": {True: "en"},
        "for_pre": {True: "gedurende, voor, sinds"},
        "long_post": {True: "lang"},
        "every": {True: ("elke, elk, iedere, ieder, alle, om de")},
        "other": {True: "andere, om de"},
        "often": {
            "daily": "dagelijks, elke dag, iedere dag",
            "weekly": "wekelijks",
            "monthly": "maandelijks",
            "yearly": "jaarlijks",
            "hourly": "uurlijks",
            "every 2 weeks": "tweewekelijks, om de week, om de twee weken, om de veertien dagen",
            "every 2 days": "om de dag",
            "every 3 months": "driemaandelijks",
        },
        "once": {True: "één keer per, eens per, een keer per, eenmaal per, een keer in"},
        "about": {
            True: ("ongeveer, rond, omstreeks, circa, ca., zo'n, rondom, bijna, ruim, zowat, een dikke")
        },
        "edge": {
            "begin": "begin, het begin van, begin van, vroeg in, aan het begin van",
            "middle": "half, midden, medio, het midden van, midden in, halverwege",
            "end": (
                "eind, einde, het einde van, einde van, eind van, laat in, aan het eind van, aan het einde "
                "van"
            ),
        },
        "half_number": {
            1.5: "anderhalf, anderhalve",
            2.5: "tweeënhalf, tweeëneenhalf",
            3.5: "drieënhalf",
            4.5: "vierenhalf",
            5.5: "vijfenhalf",
        },
        "half_amount": {True: "half, halve"},
        "half_add": {True: "en een half, en een halve, ënhalf, enhalf, en half"},
        "half_to": {True: "half"},
        "quarter_clock": {True: "kwart"},
        "past": {True: "over, na"},
        "till": {True: "voor"},
        "minute_word": {True: "minuten, minuut"},
        "oclock": {True: "uur, u."},
        "noon": {True: "12 uur 's middags, twaalf uur 's middags"},
        "midnight": {True: "middernacht"},
        "year_word": {True: "jaar, het jaar, anno"},
        "named_decade": {
            20: "twintiger jaren",
            30: "dertiger jaren",
            50: "vijftiger jaren",
            60: "zestiger jaren",
            70: "zeventiger jaren",
            80: ("tachtiger jaren, jaren tachtig"),
            90: "negentiger jaren",
        },
        "decade_word": {True: "jaren, jaren '"},
        "century": {True: "eeuw"},
        "quarter_word": {True: "kwartaal"},
        "half_word": {True: "helft, halfjaar, half jaar"},
        "week_word": {True: "week"},
        "nth_last": {-2: "voorlaatste, op een na laatste, op één na laatste"},
        "ord": {**_number_ordinals()},
        "thousand": {2000: "tweeduizend", 1000: "duizend"},
        "a": {True: "een, 'n"},
        "couple": {True: "paar duizend"},
        "later_week": {7: "over een week"},
        "workday": {True: "werkdag, weekdag, doordeweekse dag"},
        "workdays": {True: "doordeweeks, door de week"},
        "holiday": {
            "12-25": "kerst, kerstmis, eerste kerstdag, 1e kerstdag, kerstdag",
            "12-24": "kerstavond",
            "12-26": "tweede kerstdag, 2e kerstdag",
            "12-31": "oudjaar, oudejaarsavond, oudjaarsavond, oudejaarsdag, oud en nieuw",
            "1-1": "nieuwjaar, nieuwjaarsdag",
            "1-6": "driekoningen",
            "2-14": "valentijnsdag, valentijn",
            "4-27": "koningsdag",
            "5-1": "dag van de arbeid",
            "5-4": "dodenherdenking",
            "5-5": "bevrijdingsdag",
            "7-21": "nationale feestdag van belgië",
            "10-31": "halloween",
            "11-1": "allerheiligen",
            "11-2": "allerzielen",
            "11-11": "sint-maarten, sint maarten, wapenstilstandsdag",
            "12-5": "sinterklaas, sinterklaasavond, pakjesavond",
            "easter": "pasen, paaszondag, eerste paasdag, 1e paasdag",
            "easter+1": "paasmaandag, tweede paasdag, 2e paasdag",
            "easter-2": "goede vrijdag",
            "easter-3": "witte donderdag",
            "easter-7": "palmzondag",
            "easter-46": "aswoensdag",
            "easter+39": "hemelvaart, hemelvaartsdag",
            "easter+49": "pinksteren, pinksterzondag, eerste pinksterdag",
            "easter+50": "pinkstermaandag, tweede pinksterdag",
            "advent": ("eerste advent"),
            "5-sun-2": ("moederdag"),
            "6-sun-3": ("vaderdag"),
            "9-tue-3": ("prinsjesdag"),
            "easter-47": ("vastenavond"),
            "easter-48": ("carnavalsmaandag"),
            "6-24": ("sint-jan, sint jan"),
            "easter-1": ("stille zaterdag, paaszaterdag"),
            "easter+60": ("sacramentsdag"),
            "8-15": ("maria-hemelvaart, maria hemelvaart"),
            "12-6": ("sint-nicolaas, sint nicolaas"),
            "2-2": ("lichtmis, maria-lichtmis"),
        },
        "hundred": {True: ("honderd")},
        "rel_unit": {
            (2, "week"): ("week na volgende week"),
            (-2, "week"): ("week voor vorige week, eervorige week"),
            (-2, "year"): ("eervorig jaar"),
            (-2, "month"): ("eervorige maand"),
        },
        "advent_word": {True: ("advent, adventszondag, zondag van de advent, zondag van advent")},
        "rest_of": {True: ("rest van")},
        "within": {True: ("binnen het tijdsbestek van")},
        "whole_of": {True: ("hele, gehele, heel")},
        "early_late": {True: ("vroeg, laat")},
        "weekday_many": {
            0: ("maandagen"),
            1: ("dinsdagen"),
            2: ("woensdagen"),
            3: ("donderdagen"),
            4: ("vrijdagen"),
            5: ("zaterdagen"),
            6: ("zondagen"),
        },
        "feast_of": {True: ("feest van, feestdag van")},
        "greeting": {True: ("goede, goeie")},
        "week_of": {True: ("vanaf, beginnend op")},
        "group": {12: ("dozijn")},
        "night_to": {True: ("op, op de")},
        "night_onto": {True: ("op")},
        "unit_edge": {
            ("end", "month"): ("maandeinde"),
            ("end", "year"): ("jaareinde"),
            ("begin", "year"): ("jaarbegin"),
        },
    },
    ambiguous=frozenset(
        {
            "ma",
            "di",
            "wo",
            "do",
            "vr",
            "za",
            "zo",
            "mar",
            "jan",
            "mei",
            "winter",
            "sec",
            "kerst",
            "nu",
            "door de week",
        }
    ),
    introducing=frozenset(
        {"op", "in", "sinds", "tot", "vanaf", "van", "om", "voor", "na", "rond", "tegen", "met", "aan"}
    ),
    past=frozenset(
        list_words(
            "was waren had hadden heb hebben heeft ben is zijn ging gingen kwam kwamen zag zagen deed "
            "deden werd werden nam gaf vond las schreef sliep bleef sprak dacht at dronk liep reed geweest"
        )
    ),
    past_endings=("de", "den", "te", "ten"),
    future=frozenset({"zal", "zullen", "wil", "willen", "moet", "moeten", "gaan", "ga", "gaat"}),
)
