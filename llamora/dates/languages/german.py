"""German words for dates and times."""

from llamora.dates.lexicon import LanguageTable, list_words

_ADJECTIVE = ("e", "en", "er", "es", "em")


def _decline(*stems: str) -> str:
    return ", ".join(stem + ending for stem in stems for ending in _ADJECTIVE)


def _number_ordinals() -> dict[int, str]:
    stems = list_words(
        "erst zweit dritt viert fünft sechst siebt acht neunt zehnt elft zwölft dreizehnt vierzehnt "
        "fünfzehnt sechzehnt siebzehnt achtzehnt neunzehnt zwanzigst einundzwanzigst zweiundzwanzigst "
        "dreiundzwanzigst vierundzwanzigst fünfundzwanzigst sechsundzwanzigst siebenundzwanzigst "
        "achtundzwanzigst neunundzwanzigst dreißigst einunddreißigst"
    )
    return {number: _decline(stem) for number, stem in enumerate(stems, 1)}


_UNITS = list_words("ein zwei drei vier fünf sechs sieben acht neun")
_SMALL = [
    "",
    "eins",
    *_UNITS[1:],
    *list_words("zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"),
]
_TENS = list_words("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")


def _write_number(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    ten, unit = divmod(number, 10)
    return (_UNITS[unit - 1] + "und" if unit else "") + _TENS[ten - 2]


def _write_years() -> dict[int, str]:
    written = {
        year: _SMALL[year // 100] + "hundert" + _write_number(year % 100) for year in range(1100, 2000)
    }
    for year in range(2001, 2100):
        number = _write_number(year - 2000)
        written[year] = f"zweitausend{number}, zweitausendund{number}"
    return written


_MONTH_STEMS = list_words(
    "januar februar märz april mai juni juli august september oktober november dezember"
)
_PARTS = {
    "morning": "morgen, früh, vormittag",
    "noon": "mittag",
    "afternoon": "nachmittag",
    "evening": "abend",
    "night": "nacht",
}

TABLE = LanguageTable(
    code="de",
    day_first=True,
    ordinal_dot=True,
    units_first=True,
    joiner="und",
    hour_letters=frozenset({"h"}),
    numbers=list_words(
        "null ein/eins/eine/einer/einem/einen zwei/zwo drei vier fünf/fuenf sechs sieben acht neun zehn "
        "elf zwölf/zwoelf dreizehn vierzehn fünfzehn/fuenfzehn sechzehn siebzehn achtzehn neunzehn"
    ),
    tens={
        20: "zwanzig",
        30: "dreißig/dreissig",
        40: "vierzig",
        50: "fünfzig",
        60: "sechzig",
        70: "siebzig",
        80: "achtzig",
        90: "neunzig",
    },
    weekday_part=("", _PARTS),
    plurals=frozenset(
        list_words(
            "sekunden minuten stunden tage tagen nächte nächten wochen wochenenden monate monaten "
            "quartale quartalen jahre jahren jahrzehnte jahrzehnten jahrhunderte jahrhunderten"
        )
    ),
    words={
        "spoken_year": _write_years(),
        "month_week": {
            (month, unit): f"{stem}{word}"
            for month, stem in enumerate(_MONTH_STEMS, 1)
            for unit, word in (("week", "woche"), ("weekend", "wochenende"), ("day", "tag"))
        },
        "since": {True: "seit, seit dem"},
        "weekday": {
            0: "montag, mo.",
            1: "dienstag, di.",
            2: "mittwoch, mi.",
            3: "donnerstag, do.",
            4: "freitag, fr.",
            5: "samstag, sonnabend, sa.",
            6: "sonntag, so.",
        },
        "weekdays": {
            0: "montags",
            1: "dienstags",
            2: "mittwochs",
            3: "donnerstags",
            4: "freitags",
            5: "samstags, sonnabends",
            6: "sonntags",
        },
        "month": {
            1: "januar, jänner, jan., jän., januars",
            2: "februar, feber, feb., februars, febr.",
            3: ("märz, mär., mrz., maerz, märzes"),
            4: ("april, apr., aprils"),
            5: "mai, mais",
            6: ("juni, juno, jun., junis"),
            7: ("juli, julei, jul., julis"),
            8: "august, aug., augusts",
            9: "september, sept., sep., septembers",
            10: "oktober, okt., oktobers",
            11: "november, nov., novembers",
            12: "dezember, dez., dezembers",
        },
        "unit": {
            "second": "sekunde, sekunden, sek.",
            "minute": "minute, minuten, min.",
            "hour": "stunde, stunden, std.",
            "day": "tag, tage, tagen, tages, tags",
            "night": "nacht, nächte, nächten",
            "week": "woche, wochen",
            "weekend": "wochenende, wochenenden, wochenendes",
            "month": "monat, monate, monaten, monats, monates",
            "quarter": "quartal, quartale, quartals, quartalen, vierteljahr",
            "year": "jahr, jahre, jahren, jahres, jahrs",
            "decade": "jahrzehnt, jahrzehnte, jahrzehnten, jahrzehnts",
            "century": "jahrhundert, jahrhunderte, jahrhunderten, jahrhunderts",
        },
        "unit_letter": {"hour": "h", "minute": "min, m", "second": "s"},
        "half_hour": {
            (15, "minute"): "viertelstunde",
            (45, "minute"): "dreiviertelstunde",
            (30, "minute"): "halbe stunde, halben stunde",
            (0.5, "year"): "halbes jahr, halben jahr, halbe jahr",
            (9, "month"): ("dreivierteljahr"),
            (3, "month"): ("vierteljahr"),
        },
        "season": {
            "spring": "frühling, frühjahr, frühlings, frühjahrs",
            "summer": "sommer, sommers",
            "autumn": "herbst, herbstes, herbsts",
            "winter": "winter, winters",
        },
        "daypart": {
            **_PARTS,
            "morning": "morgen, früh, vormittag, morgens, vormittags, frühmorgens",
            "afternoon": "nachmittag, nachmittags",
            "evening": "abend, abends, spätabends",
            "night": "nacht, nachts",
        },
        "inpart": {
            "morning": (
                "am morgen, am vormittag, morgens, vormittags, in der früh, in der frühe, am frühen "
                "morgen, früh am morgen, des morgens"
            ),
            "noon": "am mittag, mittags, über mittag",
            "afternoon": "am nachmittag, nachmittags, am späten nachmittag, am frühen nachmittag",
            "evening": "am abend, abends, am späten abend, am frühen abend, des abends",
            "night": "in der nacht, nachts, des nachts",
        },
        "relday": {
            0: "heute",
            -1: "gestern",
            1: "morgen",
            -2: "vorgestern",
            2: "übermorgen, uebermorgen",
            -3: "vorvorgestern",
            3: "überübermorgen",
        },
        "relpart": {
            (0, "evening"): "heute abend, heut abend, diesen abend",
            (0, "night"): "heute nacht, diese nacht",
            (0, "morning"): "heute morgen, heute früh, heute vormittag, heut früh, diesen morgen",
            (0, "noon"): "heute mittag",
            (0, "afternoon"): "heute nachmittag",
            (-1, "night"): "letzte nacht, vergangene nacht, gestern nacht",
            (1, "morning"): "morgen früh, morgen vormittag",
            (1, "night"): "morgen nacht",
            (-2, "evening"): ("vorgestern abend"),
            (2, "evening"): ("übermorgen abend"),
            (1, "afternoon"): ("morgen nachmittag"),
            (1, "evening"): ("morgen abend"),
            (1, "noon"): ("morgen mittag"),
            (-1, "evening"): ("gestern abend"),
        },
        "rel": {
            -1: _decline("letzt", "vergangen", "vorig", "vorherig") + ", vergangenen, verflossenen",
            0: _decline("dies", "aktuell", "laufend"),
            1: _decline("nächst", "kommend", "naechst"),
            2: _decline("übernächst", "uebernächst"),
            -2: _decline("vorletzt", "vorvorig"),
        },
        "rel_unit": {
            (0, "year"): ("heuer, d. j., d.j."),
            (-1, "year"): ("vorjahr, v. j., v.j."),
            (-1, "month"): ("vormonat"),
            (-1, "week"): ("vorwoche"),
            (1, "year"): ("n. j."),
            (-1, "quarter"): ("vorquartal"),
        },
        "now": {True: "jetzt, gerade eben, im moment, in diesem moment"},
        "ago_pre": {
            True: ("vor, vor etwa, vor ungefähr, vor rund, vor knapp, vor fast, vor gut, vor genau, vor ca.")
        },
        "ago_post": {True: "her, zuvor vor"},
        "in_pre": {True: "in, in etwa, nach, binnen"},
        "hence_post": {True: "ab jetzt, von jetzt an, von heute an, ab heute"},
        "later_post": {True: "später, danach"},
        "earlier_post": {True: "früher, zuvor, vorher, davor"},
        "before": {True: "vor"},
        "after": {True: "nach"},
        "from_base": {True: "ab"},
        "on": {True: "am, an, an dem, auf, zu"},
        "of": {True: "im, in, des, der, von, vom, dem"},
        "in": {True: "in, im"},
        "the": {True: "der, die, das, den, dem, des"},
        "at": {True: "um, gegen, ab"},
        "from": {True: "von, vom, von der"},
        "to": {True: "bis, bis zum, bis um, bis zur"},
        "between": {True: "zwischen, zwischen dem"},
        "and": {True: "und"},
        "for_pre": {True: ("für, seit, während, im laufe, über")},
        "long_post": {True: "lang"},
        "every": {True: _decline("jed") + ", alle"},
        "other": {True: _decline("zweit", "ander")},
        "often": {
            "daily": "täglich, tagtäglich, jeden tag",
            "weekly": "wöchentlich",
            "monthly": "monatlich",
            "yearly": "jährlich, alljährlich",
            "hourly": "stündlich",
            "every 2 weeks": "vierzehntägig, zweiwöchentlich, 14-tägig",
            "every 3 months": "vierteljährlich, quartalsweise",
        },
        "once": {True: "einmal, einmal in, einmal im, einmal pro"},
        "about": {True: ("etwa, ungefähr, ca., circa, zirka, gegen, rund, um, fast, beinahe, knapp, an die")},
        "edge": {
            "begin": "anfang, beginn, zu beginn, am anfang, am beginn, zu anfang",
            "middle": "mitte, in der mitte",
            "end": "ende, am ende, zu ende, gegen ende",
        },
        "half_number": {
            1.5: "anderthalb, eineinhalb",
            2.5: "zweieinhalb",
            3.5: "dreieinhalb",
            4.5: "viereinhalb",
            5.5: "fünfeinhalb",
            6.5: "sechseinhalb",
            7.5: "siebeneinhalb",
        },
        "half_amount": {True: "halb, halbe, halben, halbes, halber"},
        "half_add": {True: "und eine halbe, und ein halbes, einhalb"},
        "half_to": {True: "halb"},
        "quarter_clock": {True: "viertel"},
        "three_quarters": {True: "drei viertel, dreiviertel"},
        "past": {True: "nach"},
        "till": {True: "vor"},
        "minute_word": {True: "minuten, minute, min."},
        "oclock": {True: "uhr"},
        "noon": {True: "zwölf uhr mittags, 12 uhr mittags"},
        "midnight": {True: "mitternacht, um mitternacht"},
        "year_word": {True: ("jahr, jahre, jahres, anno, anno domini, jahre des herrn")},
        "named_decade": {
            20: "zwanziger, zwanzigern, zwanziger jahre, zwanziger jahren, goldenen zwanziger",
            30: ("dreißiger jahre, dreißiger jahren, dreißigern, dreißiger"),
            40: ("vierziger jahre, vierziger jahren, vierzigern, vierziger"),
            50: ("fünfziger jahre, fünfziger jahren, fünfzigern, fünfziger"),
            60: ("sechziger jahre, sechziger jahren, sechzigern, sechziger"),
            70: ("siebziger jahre, siebziger jahren, siebzigern, siebziger"),
            80: ("achtziger jahre, achtziger jahren, achtzigern, achtziger"),
            90: ("neunziger jahre, neunziger jahren, neunzigern, neunziger"),
            2000: ("nullerjahre, nullerjahren, nuller jahre, nuller jahren, nullern"),
        },
        "decade_suffix": {True: "er jahre, er jahren, er-jahre, er-jahren, er, ern"},
        "century": {True: "jahrhundert, jahrhunderts, jh., jhd., jahrhunderte"},
        "quarter_word": {True: "quartal, quartals"},
        "half_word": {True: "halbjahr, hälfte, halbjahres"},
        "week_word": {True: "kw, kalenderwoche, woche"},
        "nth_last": {-2: _decline("vorletzt")},
        "ord": {**_number_ordinals()},
        "thousand": {2000: "zweitausend, zweitausendund", 1000: "eintausend, tausend"},
        "a": {True: "ein, eine, einen, einem, einer, eines"},
        "couple": {True: "paar tausend"},
        "later_week": {7: "in einer woche, in acht tagen, über eine woche"},
        "workday": {True: "werktag, wochentag, arbeitstag"},
        "workdays": {True: "werktags, wochentags"},
        "holiday": {
            "12-25": (
                "weihnachten, erster weihnachtstag, erster weihnachtsfeiertag, erste weihnachtstag, erste "
                "weihnachtsfeiertag, ersten weihnachtstag, ersten weihnachtsfeiertag, 1. weihnachtstag, "
                "1. weihnachtsfeiertag, weihnachtstag, weihnacht, weihnachtsfest, christtag"
            ),
            "12-24": (
                "heiligabend, heiliger abend, heilig abend, heiligen abend, weihnachtsabend, heiligabends"
            ),
            "12-26": (
                "zweiter weihnachtstag, zweiter weihnachtsfeiertag, zweiten weihnachtstag, zweiten "
                "weihnachtsfeiertag, 2. weihnachtstag, 2. weihnachtsfeiertag, stephanstag, stefanitag, "
                "stefanstag"
            ),
            "12-31": ("silvester, sylvester, silvesterabend, silvesternacht"),
            "1-1": "neujahr, neujahrstag",
            "1-6": (
                "dreikönig, dreikönigstag, heilige drei könige, heiligen drei könige, dreikönige, "
                "heiligdreikönig"
            ),
            "2-14": "valentinstag",
            "3-8": "weltfrauentag, internationaler frauentag, internationalen frauentag",
            "5-1": "tag der arbeit, maifeiertag",
            "8-1": "nationalfeiertag der schweiz",
            "8-15": "mariä himmelfahrt, maria himmelfahrt",
            "10-3": "tag der deutschen einheit",
            "10-31": "halloween, reformationstag",
            "11-1": "allerheiligen",
            "11-2": ("allerseelen, allerseelentag"),
            "11-11": "martinstag, sankt martin, st. martin",
            "12-6": "nikolaus, nikolaustag, nikolausabend",
            "6-24": ("johannistag, johanni"),
            "easter": "ostern, ostersonntag",
            "easter+1": "ostermontag",
            "easter-1": "karsamstag, ostersamstag",
            "easter-2": "karfreitag",
            "easter-3": "gründonnerstag",
            "easter-7": "palmsonntag",
            "easter-46": "aschermittwoch",
            "easter-48": ("rosenmontag, fastnachtsmontag"),
            "easter-47": (
                "faschingsdienstag, fastnachtsdienstag, veilchendienstag, fasnachtsdienstag, "
                "faschingdienstag, fastnacht"
            ),
            "easter+39": ("christi himmelfahrt, himmelfahrt, vatertag, herrentag"),
            "easter+49": "pfingsten, pfingstsonntag",
            "easter+50": "pfingstmontag",
            "easter+60": ("fronleichnam, fronleichnamstag"),
            "advent": ("erster advent"),
            "5-sun-2": ("muttertag"),
            "advent-11": ("buß- und bettag, buss- und bettag, buß-und bettag"),
            "advent-7": ("totensonntag, ewigkeitssonntag"),
            "advent-14": ("volkstrauertag"),
            "10-sun-1": ("erntedank, erntedankfest"),
            "easter-52": ("weiberfastnacht, altweiber"),
            "9-29": ("michaeli, michaelstag"),
            "10-26": ("österreichischer nationalfeiertag"),
            "12-8": ("mariä empfängnis, maria empfängnis"),
            "4-30": ("walpurgisnacht"),
            "3-19": ("josefstag, josefitag"),
            "2-2": ("lichtmess, mariä lichtmess"),
            "12-28": ("tag der unschuldigen kinder"),
            "easter+56": ("trinitatis"),
        },
        "letter_month": {
            0: ("d. m., d.m., dieses monats, d. mts."),
            1: ("n. m., n.m., n. mts."),
            -1: ("v. m., v.m., v. mts."),
        },
        "advent_word": {True: ("advent, adventssonntag, adventsonntag, sonntag im advent")},
        "week_number": {True: ("kw, kalenderwoche")},
        "rest_of": {True: ("rest, rest der, rest des")},
        "within": {True: ("innerhalb von, innerhalb der, innerhalb, im laufe der, im laufe von")},
        "whole_of": {True: ("ganze, ganzen, ganzes, gesamte, gesamten")},
        "early_late": {True: ("früh, spät")},
        "weekday_many": {
            0: ("montage, montagen"),
            1: ("dienstage, dienstagen"),
            2: ("mittwoche, mittwochen"),
            3: ("donnerstage, donnerstagen"),
            4: ("freitage, freitagen"),
            5: ("samstage, samstagen, sonnabende, sonnabenden"),
            6: ("sonntage, sonntagen"),
        },
        "rel_couple": {
            -1: ("letzten beiden, vergangenen beiden, letzten paar tausend"),
            1: ("nächsten beiden, kommenden beiden"),
        },
        "relday_adjective": {
            0: ("heutigen, heutige, heutiger, heutiges"),
            -1: ("gestrigen, gestrige, gestriger, gestriges"),
            1: ("morgigen, morgige, morgiger, morgiges"),
            -2: ("vorgestrigen, vorgestrige"),
        },
        "feast_of": {True: ("fest der, fest des, feiertag")},
        "lent_word": {True: ("fastensonntag, sonntag der fastenzeit")},
        "greeting": {True: ("guten, gute, schönen")},
        "week_of": {True: ("vom, ab dem, ab, um den")},
        "group": {12: ("dutzend")},
        "early_half": {"morning": ("früh")},
        "night_to": {True: ("auf den, auf, zum")},
        "night_onto": {True: ("auf, zum, zu, auf den")},
        "unit_edge": {
            ("begin", "week"): ("wochenanfang, wochenbeginn"),
            ("middle", "week"): ("wochenmitte"),
            ("begin", "month"): ("monatsanfang, monatsbeginn"),
            ("middle", "month"): ("monatsmitte"),
            ("end", "month"): ("monatsende"),
            ("begin", "year"): ("jahresanfang, jahresbeginn"),
            ("middle", "year"): ("jahresmitte"),
            ("end", "year"): ("jahresende"),
        },
    },
    ambiguous=frozenset(
        {
            "mo",
            "di",
            "mi",
            "do",
            "fr",
            "sa",
            "so",
            "mais",
            "jan",
            "ern",
            "winter",
            "mar",
            "heuer",
            "fruh",
            "nachts",
            "halloween",
        }
    ),
    introducing=frozenset(
        {
            "am",
            "im",
            "in",
            "seit",
            "bis",
            "ab",
            "vom",
            "von",
            "zu",
            "an",
            "zum",
            "um",
            "vor",
            "nach",
            "den",
            "der",
            "für",
        }
    ),
    past=frozenset(
        list_words(
            "war waren hatte hatten habe haben hat bin ist wurde wurden ging gingen kam kamen sah sahen "
            "machte machten fuhr fuhren traf trafen las schrieb aß trank schlief blieb fand gab nahm "
            "sprach dachte wusste"
        )
    ),
    past_endings=("te", "ten", "tet"),
    future=frozenset(
        {"werde", "werden", "wird", "will", "wollen", "soll", "sollen", "muss", "müssen", "möchte"}
    ),
)
