"""Italian words for dates and times."""

from llamora.dates.lexicon import LanguageTable, list_words


def _write_tens() -> dict[int, str]:
    tens = {
        20: "vent",
        30: "trent",
        40: "quarant",
        50: "cinquant",
        60: "sessant",
        70: "settant",
        80: "ottant",
        90: "novant",
    }
    units = ("uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove")
    written = {}
    for ten, stem in tens.items():
        vowel = "i" if ten == 20 else "a"
        for number, unit in enumerate(units, 1):
            written[ten + number] = f"{stem}{unit}" if unit[0] in "uo" else f"{stem}{vowel}{unit}"
    return written


_SMALL = list_words(
    "uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove"
)
_TENS = list_words("venti trenta quaranta cinquanta sessanta settanta ottanta novanta")


def _write_years() -> dict[int, str]:
    numbers = {
        **dict(enumerate(["", *_SMALL])),
        **{10 * ten: word for ten, word in enumerate(_TENS, 2)},
        **_write_tens(),
    }
    written = {}
    for year in range(1100, 2100):
        hundred, rest = year // 100 % 10, numbers[year % 100]
        thousand = "mille" if year < 2000 else "duemila"
        hundreds = (numbers[hundred] if hundred > 1 else "") + "cento" if hundred else ""
        short = hundreds[:-1] + rest if hundreds and rest[:1] == "o" else hundreds + rest
        written[year] = f"{thousand}{hundreds}{rest}, {thousand}{short}" if rest else thousand + hundreds
    return written


TABLE = LanguageTable(
    code="it",
    day_first=True,
    bare_days=True,
    ordinal_suffixes=frozenset({"o", "a"}),
    numbers=list_words(
        "zero un/uno/una due tre quattro cinque sei sette otto nove dieci undici dodici tredici "
        "quattordici quindici sedici diciassette diciotto diciannove"
    ),
    tens={
        20: "venti/vent'",
        30: "trenta/trent'",
        40: "quaranta/quarant'",
        50: "cinquanta",
        60: "sessanta",
        70: "settanta",
        80: "ottanta",
        90: "novanta",
    },
    twenties=_write_tens(),
    plurals=frozenset(
        list_words("secondi minuti ore giorni notti settimane mesi trimestri anni decenni secoli")
    ),
    words={
        "spoken_year": _write_years(),
        "day_before": {True: "vigilia di"},
        "weekday": {
            0: "lunedì, lun., lunedi'",
            1: "martedì, mar., martedi'",
            2: "mercoledì, mer., mercoledi'",
            3: "giovedì, gio., giovedi'",
            4: "venerdì, ven., venerdi'",
            5: "sabato, sab.",
            6: "domenica, dom.",
        },
        "weekdays": {
            0: "tutti i lunedì, di lunedì",
            1: "tutti i martedì, di martedì",
            2: "tutti i mercoledì, di mercoledì",
            3: "tutti i giovedì, di giovedì",
            4: "tutti i venerdì, di venerdì",
            5: "tutti i sabati, di sabato",
            6: "tutte le domeniche, di domenica",
        },
        "month": {
            1: "gennaio, gen., genn.",
            2: "febbraio, feb., febbr.",
            3: "marzo, mar.",
            4: "aprile, apr.",
            5: "maggio, mag., magg.",
            6: "giugno, giu.",
            7: "luglio, lug.",
            8: "agosto, ago.",
            9: "settembre, set., sett.",
            10: "ottobre, ott.",
            11: "novembre, nov.",
            12: "dicembre, dic.",
        },
        "unit": {
            "second": "secondo, secondi, sec.",
            "minute": "minuto, minuti, min.",
            "hour": "ora, ore",
            "day": ("giorno, giorni, gg., giornata, giornate"),
            "night": "notte, notti",
            "week": "settimana, settimane",
            "weekend": "fine settimana, weekend, week-end, finesettimana",
            "month": "mese, mesi",
            "quarter": "trimestre, trimestri",
            "year": "anno, anni",
            "decade": "decennio, decenni",
            "century": "secolo, secoli",
        },
        "unit_letter": {"hour": "h", "minute": "min, m", "second": "s"},
        "half_hour": {
            (30, "minute"): "mezz'ora, mezzora, mezza ora",
            (15, "minute"): "quarto d'ora",
            (45, "minute"): "tre quarti d'ora",
            (90, "minute"): "ora e mezza, ora e mezzo",
        },
        "season": {"spring": "primavera", "summer": "estate", "autumn": "autunno", "winter": "inverno"},
        "daypart": {
            "morning": ("mattina, mattino, mattinata, mattine"),
            "noon": "mezzogiorno",
            "afternoon": ("pomeriggio, pomeriggi"),
            "evening": ("sera, serata, sere, serate"),
            "night": ("notte, notti"),
        },
        "inpart": {
            "morning": (
                "di mattina, del mattino, della mattina, la mattina, al mattino, in mattinata, alla "
                "mattina, nella mattina, nella mattinata"
            ),
            "afternoon": "del pomeriggio, di pomeriggio, nel pomeriggio, il pomeriggio, al pomeriggio",
            "evening": "di sera, della sera, la sera, alla sera, in serata, nella serata, nella sera",
            "night": "di notte, della notte, la notte, nella notte, durante la notte",
        },
        "relday": {
            0: ("oggi, il giorno d'oggi, al giorno d'oggi"),
            -1: "ieri",
            1: "domani",
            -2: "l'altro ieri, altro ieri, avantieri, ieri l'altro, l'altroieri, altroieri",
            2: "dopodomani, dopo domani",
        },
        "relpart": {
            (0, "evening"): ("stasera, questa sera, 'sta sera, oggi sera"),
            (0, "night"): "stanotte, questa notte",
            (0, "morning"): "stamattina, stamani, questa mattina, stamane",
            (0, "afternoon"): "questo pomeriggio, oggi pomeriggio",
            (-1, "evening"): "ieri sera",
            (-1, "night"): "ieri notte, la notte scorsa, la scorsa notte, scorsa notte, notte scorsa",
            (1, "morning"): "domani mattina, domattina",
            (1, "evening"): "domani sera",
            (-2, "evening"): ("l'altro ieri sera, altro ieri sera, l'altra sera"),
            (-1, "morning"): ("ieri mattina"),
            (-1, "afternoon"): ("ieri pomeriggio"),
            (1, "afternoon"): ("domani pomeriggio"),
            (1, "night"): ("domani notte"),
            (2, "morning"): ("dopodomani mattina"),
            (2, "evening"): ("dopodomani sera"),
        },
        "rel": {
            -1: (
                "scorso, scorsa, scorsi, scorse, passato, passata, passati, passate, ultimo, ultima, "
                "ultimi, ultime, precedente"
            ),
            0: "questo, questa, quest', questi, queste, corrente, presente",
            1: (
                "prossimo, prossima, prossimi, prossime, venturo, ventura, seguente, successivo, "
                "successiva, che viene, entrante, prossimo venturo"
            ),
        },
        "post_rel": {
            0: "in corso",
            -2: ("penultimo"),
        },
        "now": {True: "adesso, ora, in questo momento, proprio ora"},
        "ago_post": {True: "fa, or sono, addietro, indietro"},
        "in_pre": {True: "tra, fra, in, entro, tra circa, fra circa, da qui a"},
        "hence_post": {
            True: "da adesso, da ora, da oggi, a partire da adesso, a partire da oggi, a partire da ora"
        },
        "later_post": {True: "dopo, più tardi"},
        "earlier_post": {True: "prima"},
        "before": {True: "prima di, prima del, prima della, prima dell'"},
        "after": {True: "dopo, dopo il, dopo la, dopo l'"},
        "from_base": {True: "da, a partire da, dal, a partire dal"},
        "on": {True: ("il, di, lo, l', per, al, nel")},
        "of": {True: ("di, del, della, dell', dello, in, nel, dei, degli, nell', d', nello")},
        "in": {True: "in, nel, nella, nell'"},
        "the": {True: ("il, lo, la, i, gli, le, l', nei, negli, nelle, nel, nella, nell', dell'")},
        "at": {
            True: "alle, all', alla, a, verso le, intorno alle, le, per le, ore, alle ore, dalle, verso, l'"
        },
        "from": {True: "da, dal, dalle, dall', dalla, di, dai"},
        "to": {True: "a, ad, al, alle, all', fino a, fino al, fino alle, alla, ai"},
        "between": {True: "tra, fra, tra il, fra il, tra le, fra le"},
        "and": {True: "e, ed, e il, e le"},
        "for_pre": {True: ("per, durante, da, nel corso di, nel corso del, nel corso della, lungo il")},
        "long_post": {True: "di fila, di seguito"},
        "every": {True: "ogni, tutti i, tutte le, ciascun"},
        "other": {True: "due"},
        "often": {
            "daily": "quotidiano, quotidianamente, giornaliero, giornalmente, tutti i giorni, ogni giorno",
            "weekly": "settimanale, settimanalmente, tutte le settimane",
            "monthly": "mensile, mensilmente, tutti i mesi",
            "yearly": "annuale, annualmente, tutti gli anni",
            "every 2 weeks": "quindicinale, una settimana sì e una no",
            "every 2 days": "un giorno sì e uno no",
            "every 3 months": "trimestrale, trimestralmente",
        },
        "once": {True: "una volta a, una volta alla, una volta al, una volta all', una volta ogni"},
        "about": {
            True: (
                "circa, intorno a, verso, intorno al, pressappoco, attorno a, attorno al, intorno alle, "
                "più o meno, verso il, quasi, all'incirca"
            )
        },
        "edge": {
            "begin": (
                "inizio, all'inizio di, l'inizio di, inizi di, agli inizi di, all'inizio del, all'inizio "
                "dell', inizio del, primi di, ai primi di, inizio dell', agli inizi del"
            ),
            "middle": "metà, a metà, metà di, a metà di, alla metà di, metà del, verso metà",
            "end": (
                "fine, a fine, fine di, alla fine di, la fine di, alla fine del, fine del, alla fine "
                "dell', fine dell'"
            ),
        },
        "half_amount": {True: "mezzo, mezza, mezz'"},
        "half_add": {True: "e mezzo, e mezza"},
        "half_after": {True: "e mezza, e mezzo, e trenta"},
        "quarter_after": {True: "e un quarto, e quindici"},
        "quarter_before": {True: "meno un quarto, meno quindici"},
        "three_quarters": {True: "un quarto alle"},
        "minus": {True: "meno"},
        "plus": {True: "e"},
        "oclock": {True: "in punto, h., ore"},
        "minute_word": {True: "minuti, minuto"},
        "noon": {True: "mezzogiorno"},
        "midnight": {True: "mezzanotte"},
        "year_word": {True: "anno, l'anno, nell'anno"},
        "decade_word": {True: "anni, gli anni"},
        "century": {True: "secolo, sec."},
        "quarter_label": {True: "t"},
        "half_label": {True: "s"},
        "quarter_word": {True: "trimestre"},
        "half_word": {True: "semestre, metà"},
        "week_word": {True: "settimana, settimana numero"},
        "nth_last": {-2: ("penultimo, penultima, penultimi, penultime")},
        "ord": {
            1: ("primo, prima, 1o, primi, prime"),
            2: "secondo, seconda",
            3: "terzo, terza",
            4: "quarto, quarta",
            5: "quinto, quinta",
            6: "sesto, sesta",
            7: "settimo, settima",
            8: "ottavo, ottava",
            9: "nono, nona",
            10: "decimo, decima",
            11: "undicesimo",
            12: "dodicesimo",
            13: "tredicesimo",
            14: "quattordicesimo",
            15: "quindicesimo",
            16: "sedicesimo",
            17: "diciassettesimo",
            18: "diciottesimo",
            19: "diciannovesimo",
            20: "ventesimo",
            21: "ventunesimo",
            22: "ventiduesimo",
            23: "ventitreesimo",
            30: "trentesimo",
            31: "trentunesimo",
        },
        "thousand": {2000: "duemila", 1000: "mille"},
        "a": {True: "un, una, un', uno"},
        "couple": {True: "paio"},
        "dayword": {True: "giorno, il giorno"},
        "later_week": {7: "a otto"},
        "workday": {True: "giorno feriale, giorno lavorativo"},
        "workdays": {True: "nei giorni feriali, i giorni feriali"},
        "holiday": {
            "12-25": "natale, giorno di natale",
            "12-24": "vigilia di natale, vigilia, la vigilia di natale",
            "12-26": ("santo stefano, giorno di santo stefano"),
            "12-31": (
                "san silvestro, notte di san silvestro, vigilia di capodanno, ultimo dell'anno, l'ultimo "
                "dell'anno, notte di capodanno"
            ),
            "1-1": "capodanno, primo dell'anno",
            "1-6": ("epifania, befana, giorno dell'epifania, giorno della befana"),
            "2-14": "san valentino, giorno di san valentino",
            "3-8": "festa della donna, festa delle donne",
            "3-19": "festa del papà, san giuseppe",
            "4-25": ("festa della liberazione, giorno della liberazione, liberazione"),
            "5-1": "festa del lavoro, festa dei lavoratori",
            "6-2": "festa della repubblica",
            "6-24": ("san giovanni, giorno di san giovanni, festa di san giovanni"),
            "8-15": ("ferragosto, assunzione, assunzione di maria"),
            "10-31": "halloween",
            "11-1": "ognissanti, tutti i santi",
            "11-2": "giorno dei morti, festa dei morti",
            "12-8": ("immacolata concezione, immacolata, festa dell'immacolata, giorno dell'immacolata"),
            "12-13": "santa lucia",
            "easter": "pasqua, domenica di pasqua",
            "easter+1": "pasquetta, lunedì dell'angelo, lunedì di pasqua",
            "easter-2": "venerdì santo",
            "easter-3": "giovedì santo",
            "easter-1": "sabato santo",
            "easter-7": "domenica delle palme",
            "easter-46": "mercoledì delle ceneri, le ceneri",
            "easter-47": "martedì grasso",
            "easter+49": ("pentecoste, domenica di pentecoste"),
            "easter+60": "corpus domini",
            "advent": ("prima domenica d'avvento"),
            "11-thu-4": ("giorno del ringraziamento, ringraziamento, festa del ringraziamento"),
            "11-thu-4+1": ("black friday"),
            "easter+50": ("lunedì di pentecoste"),
            "5-sun-2": ("festa della mamma"),
            "easter+39": ("ascensione"),
            "11-11": ("san martino"),
            "2-2": ("candelora"),
            "easter-48": ("lunedì grasso"),
            "6-29": ("santi pietro e paolo"),
            "8-10": ("notte di san lorenzo, san lorenzo"),
            "easter-52": ("giovedì grasso"),
        },
        "advent_word": {True: ("domenica di avvento, domenica d'avvento, domenica dell'avvento")},
        "rest_of": {True: ("resto di, resto del, resto della, resto dell'")},
        "within": {True: ("nel giro di, nel corso di, nell'arco di")},
        "whole_of": {True: ("tutto, tutta, intero, intera")},
        "early_late": {True: ("presto, tardi")},
        "weekday_many": {
            0: ("lunedì"),
            1: ("martedì"),
            2: ("mercoledì"),
            3: ("giovedì"),
            4: ("venerdì"),
            5: ("sabati"),
            6: ("domeniche"),
        },
        "named_century": {
            20: ("novecento"),
            19: ("ottocento"),
            18: ("settecento"),
            17: ("seicento"),
            16: ("cinquecento"),
            15: ("quattrocento"),
            14: ("trecento"),
            13: ("duecento"),
        },
        "letter_month": {
            0: ("c. m., corrente mese, c.m."),
            -1: ("u. s., u.s."),
            1: ("p. v., p.v."),
        },
        "feast_of": {True: ("festa di, giorno di, festa dell', festa della, giorno dell'")},
        "lent_word": {True: ("domenica di quaresima")},
        "week_of": {True: ("che inizia il, che comincia il")},
        "group": {
            10: ("decina"),
            12: ("dozzina"),
            15: ("quindicina"),
            20: ("ventina"),
            30: ("trentina"),
        },
        "night_to": {True: ("al")},
    },
    ambiguous=frozenset(
        {
            "della mattina",
            "del mattino",
            "del pomeriggio",
            "della sera",
            "della notte",
            "mar",
            "mer",
            "gio",
            "ven",
            "sab",
            "dom",
            "set",
            "ora",
            "prima",
            "secondo",
            "seconda",
            "ottobre rosso",
            "mag",
            "ott",
            "sera",
            "quotidiano",
            "settimanale",
            "vigilia",
            "befana",
            "mezzogiorno",
            "gen",
            "lug",
            "ago",
            "giu",
            "dic",
            "natale",
            "adesso",
            "la sera",
            "la notte",
            "la mattina",
        }
    ),
    introducing=frozenset(
        {
            "in",
            "a",
            "da",
            "dal",
            "dall",
            "nel",
            "il",
            "di",
            "del",
            "entro",
            "per",
            "fino",
            "dopo",
            "al",
            "d",
            "l",
            "verso",
        }
    ),
    past=frozenset(
        list_words(
            "era erano ero aveva avevano avevo ho hai abbiamo hanno ha sono siamo è fu furono stato stata "
            "stati andato andata venuto visto fatto preso detto"
        )
    ),
    past_endings=("ava", "avano", "avo", "evo", "eva", "ivo", "iva", "ammo", "immo", "arono"),
    future=frozenset(
        {"devo", "dobbiamo", "voglio", "vogliamo", "sarà", "sarò", "andrò", "andremo", "domani"}
    ),
    future_endings=("erò", "irò", "eremo", "iremo", "erà", "irà"),
)
