"""French words for dates and times."""

from llamora.dates.lexicon import LanguageTable, list_words


def _number_ordinals() -> dict[int, str]:
    words = list_words(
        "deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième onzième "
        "douzième treizième quatorzième quinzième seizième dix-septième dix-huitième dix-neuvième vingtième"
    )
    return {
        1: "premier, première, premiers, premières",
        **dict(enumerate(words, 2)),
        2: "deuxième, second",
        21: "vingt et unième",
    }


_TEENS = ["dix", "onze", "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"]

TABLE = LanguageTable(
    code="fr",
    day_first=True,
    bare_days=True,
    ordinal_suffixes=frozenset({"er", "re", "e", "eme", "nd", "nde", "ere"}),
    numbers=("zéro un/une deux trois quatre cinq six sept huit neuf " + " ".join(_TEENS)).split(),
    tens={
        20: "vingt",
        30: "trente",
        40: "quarante",
        50: "cinquante",
        60: "soixante",
        80: "quatre-vingt/quatre-vingts",
    },
    twenties={
        **{
            ten + 1: f"{word} et un/{word} et une"
            for ten, word in (
                (20, "vingt"),
                (30, "trente"),
                (40, "quarante"),
                (50, "cinquante"),
                (60, "soixante"),
            )
        },
        **{70 + number: f"soixante-{word}/soixante et {word}" for number, word in enumerate(_TEENS)},
        **{90 + number: f"quatre-vingt-{word}" for number, word in enumerate(_TEENS)},
    },
    plurals=frozenset(
        list_words(
            "secondes minutes heures jours journées nuits semaines trimestres ans années décennies siècles"
        )
    ),
    words={
        "since": {True: "depuis, depuis le"},
        "here": {True: "ci"},
        "day_before": {True: "veille de, veille du"},
        "day_after": {True: "lendemain de, lendemain du"},
        "weekday": {
            0: "lundi, lun.",
            1: "mardi, mar.",
            2: "mercredi, mer.",
            3: "jeudi, jeu.",
            4: "vendredi, ven., vendr.",
            5: "samedi, sam.",
            6: "dimanche, dim.",
        },
        "weekdays": {
            0: "lundis",
            1: "mardis",
            2: "mercredis",
            3: "jeudis",
            4: "vendredis",
            5: "samedis",
            6: "dimanches",
        },
        "month": {
            1: "janvier, janv., jan.",
            2: "février, févr., fév.",
            3: "mars, mar.",
            4: "avril, avr.",
            5: "mai",
            6: "juin, jun.",
            7: "juillet, juil., jul., juill.",
            8: "août, aoû.",
            9: "septembre, sept., sep.",
            10: "octobre, oct.",
            11: "novembre, nov.",
            12: "décembre, déc.",
        },
        "unit": {
            "second": "seconde, secondes, sec.",
            "minute": "minute, minutes, min., mn.",
            "hour": "heure, heures",
            "day": "jour, jours, journée, journées",
            "night": "nuit, nuits",
            "week": "semaine, semaines, sem.",
            "weekend": "week-end, weekend, fin de semaine, week-ends",
            "month": "mois",
            "quarter": "trimestre, trimestres",
            "year": "an, ans, année, années",
            "decade": "décennie, décennies",
            "century": "siècle, siècles",
        },
        "unit_letter": {"hour": "h", "minute": "min, mn", "second": "s", "day": "j"},
        "half_hour": {
            (30, "minute"): "demi-heure, demie heure, demi heure",
            (15, "minute"): "quart d'heure",
            (45, "minute"): "trois quarts d'heure",
            (7, "day"): "huit jours, huitaine",
            (14, "day"): "quinzaine, quinze jours, quinzaine de jours",
        },
        "season": {"spring": "printemps", "summer": "été", "autumn": "automne", "winter": "hiver"},
        "daypart": {
            "morning": "matin, matinée, matins",
            "noon": "midi",
            "afternoon": "après-midi, aprem",
            "evening": "soir, soirée, soirs",
            "night": "nuit",
        },
        "inpart": {
            "morning": (
                "du matin, le matin, au matin, dans la matinée, en matinée, de bon matin, tôt le matin, "
                "dans le matin"
            ),
            "afternoon": "de l'après-midi, l'après-midi, dans l'après-midi, en après-midi",
            "evening": "du soir, le soir, au soir, dans la soirée, en soirée",
            "night": "de la nuit, la nuit, dans la nuit, de nuit, pendant la nuit",
        },
        "relday": {
            0: ("aujourd'hui, aujourdhui, ce jour, au jour d'aujourd'hui, aujourd'hui même"),
            -1: "hier",
            1: "demain",
            -2: "avant-hier, avant hier",
            2: "après-demain, après demain",
        },
        "relpart": {
            (0, "evening"): "ce soir",
            (0, "morning"): "ce matin",
            (0, "afternoon"): "cet après-midi, cette après-midi",
            (0, "night"): "cette nuit",
            (-1, "night"): "la nuit dernière, la nuit passée",
            (-1, "evening"): "hier soir, hier au soir",
            (1, "evening"): "demain soir",
            (1, "morning"): "demain matin",
            (0, "noon"): "ce midi",
            (-2, "evening"): ("avant-hier soir, avant-hier au soir"),
            (-1, "morning"): ("hier matin"),
            (-1, "afternoon"): ("hier après-midi"),
            (1, "afternoon"): ("demain après-midi"),
            (2, "evening"): ("après-demain soir"),
            (2, "morning"): ("après-demain matin"),
        },
        "rel": {
            -1: "dernier, dernière, derniers, dernières, précédent, précédente",
            0: "ce, cet, cette, ces",
            1: "prochain, prochaine, prochains, prochaines, suivant, suivante, à venir, qui vient",
            -2: ("avant-dernier, avant-dernière"),
        },
        "post_rel": {
            0: "en cours, courant, courante, présent",
            -1: "passé, passée, passés, passées",
            -2: "avant-dernier, avant-dernière",
        },
        "now": {True: "maintenant, en ce moment, à l'instant, tout de suite"},
        "ago_pre": {
            True: (
                "il y a, il y a environ, y a, ça fait, il y a à peu près, voilà, voici, ça fait environ, "
                "cela fait, il y a près de, il y a presque, il y a quelque"
            )
        },
        "ago_post": {True: "plus tôt que maintenant"},
        "in_pre": {True: "dans, d'ici, dans environ, en, sous, d'ici à"},
        "hence_post": {
            True: (
                "à partir de maintenant, à partir d'aujourd'hui, à compter d'aujourd'hui, à compter de "
                "maintenant"
            )
        },
        "later_post": {True: "plus tard, après"},
        "earlier_post": {True: "plus tôt, avant, auparavant"},
        "before": {True: "avant"},
        "after": {True: "après"},
        "from_base": {True: "à partir de, à partir du, à compter de, à partir d'"},
        "on": {True: "le"},
        "of": {True: "de, du, de la, d', en, de l', des, au"},
        "in": {True: "en, dans, au"},
        "the": {True: "le, la, les, l'"},
        "at": {True: "à, vers, vers les, dès, pour"},
        "from": {True: ("de, du, depuis, à partir de, d', de l'")},
        "to": {True: "à, au, jusqu'à, jusqu'au, jusqu'en"},
        "between": {True: "entre, entre le"},
        "and": {True: "et, et le"},
        "for_pre": {
            True: (
                "pendant, durant, depuis, pour, au cours de, au cours des, au cours du, lors de, lors du, "
                "tout au long de"
            )
        },
        "long_post": {True: "durant, de suite"},
        "every": {True: "chaque, tous les, toutes les, tout les"},
        "other": {True: "deux"},
        "often": {
            "daily": "quotidien, quotidienne, quotidiennement, tous les jours, chaque jour, journalier",
            "weekly": "hebdomadaire, hebdomadairement, toutes les semaines",
            "monthly": "mensuel, mensuelle, mensuellement, tous les mois",
            "yearly": "annuel, annuelle, annuellement, tous les ans",
            "every 2 weeks": "une semaine sur deux, bimensuel, tous les quinze jours",
            "every 2 days": "un jour sur deux",
            "every 3 months": "trimestriel, trimestriellement",
        },
        "once": {True: "une fois par, une fois"},
        "about": {
            True: (
                "environ, vers, autour de, aux alentours de, à peu près, circa, aux environs de, vers le, "
                "presque, près de, quelque"
            )
        },
        "edge": {
            "begin": (
                "début, le début de, début de, au début de, au début du, le début du, au début, début du "
                "mois de, au début du mois de, début du mois d', au début du mois d', début de l', au "
                "début de l', au début d', courant du début de"
            ),
            "middle": (
                "mi, milieu, au milieu de, le milieu de, au milieu du, milieu de, milieu du, au milieu du "
                "mois de, milieu de l', au milieu de l', à la mi"
            ),
            "end": (
                "fin, la fin de, fin de, à la fin de, à la fin du, la fin du, en fin de, en fin d', fin "
                "du, fin de l', à la fin de l', la fin de l', fin du mois de, à la fin du mois de, fin du "
                "mois d', en fin du mois de, vers la fin de, vers la fin du, à la fin des, fin des"
            ),
        },
        "half_amount": {True: "demi, demie"},
        "half_add": {True: "et demi, et demie"},
        "half_after": {True: "et demie, et demi, trente"},
        "quarter_after": {True: "et quart, un quart"},
        "quarter_before": {True: "moins le quart, moins quart, moins un quart"},
        "minus": {True: "moins"},
        "oclock": {True: "heures, heure, h"},
        "minute_word": {True: "minutes, minute"},
        "noon": {True: "midi"},
        "midnight": {True: "minuit"},
        "year_word": {True: ("an, l'an, année, l'année, l'an de grâce, an de grâce")},
        "decade_word": {True: "années, ans"},
        "century": {True: "siècle, s."},
        "roman_suffix": {True: "e, ème, er, eme"},
        "quarter_label": {True: "t"},
        "half_label": {True: "s"},
        "quarter_word": {True: "trimestre"},
        "half_word": {True: "semestre, moitié"},
        "week_word": {True: "semaine, sem., semaine numéro"},
        "nth_last": {-2: ("avant-dernier, avant-dernière, pénultième")},
        "ord": {**_number_ordinals()},
        "thousand": {2000: "deux mille", 1000: "mille, mil"},
        "a": {True: "un, une"},
        "couple": {True: "couple"},
        "dayword": {True: "jour"},
        "later_week": {
            7: "en huit",
            14: ("en quinze"),
        },
        "workday": {True: "jour de semaine, jour ouvrable, jour ouvré"},
        "workdays": {True: "en semaine, les jours de semaine, les jours ouvrables"},
        "holiday": {
            "12-25": "noël, jour de noël",
            "12-24": "veille de noël, réveillon de noël, la veille de noël",
            "12-26": ("saint-étienne, la saint-étienne, lendemain de noël"),
            "12-31": (
                "saint-sylvestre, saint sylvestre, réveillon du nouvel an, veille du jour de l'an, la "
                "saint-sylvestre, réveillon"
            ),
            "1-1": ("jour de l'an, nouvel an, premier de l'an, jour du nouvel an, premier jour de l'an"),
            "1-6": ("épiphanie, fête des rois, jour des rois, la fête des rois"),
            "2-2": ("chandeleur, la chandeleur"),
            "2-14": "saint-valentin, saint valentin, la saint-valentin",
            "5-1": "fête du travail",
            "5-8": "fête de la victoire, victoire 1945",
            "6-21": ("fête de la musique, la fête de la musique"),
            "6-24": (
                "saint-jean, la saint-jean, fête de la saint-jean, la saint jean, saint jean, la fête de "
                "la saint-jean"
            ),
            "7-14": ("fête nationale, prise de la bastille, quatorze juillet"),
            "8-15": ("assomption, assomption de marie, fête de l'assomption"),
            "10-31": "halloween",
            "11-1": "toussaint",
            "11-2": "fête des morts, jour des morts",
            "11-11": (
                "armistice, armistice 1918, saint-martin, jour de l'armistice, la saint-martin, saint martin"
            ),
            "12-6": "saint-nicolas, saint nicolas, la saint-nicolas",
            "easter": "pâques, dimanche de pâques",
            "easter+1": "lundi de pâques",
            "easter-2": "vendredi saint",
            "easter-3": "jeudi saint",
            "easter-7": "dimanche des rameaux, rameaux",
            "easter-46": "mercredi des cendres",
            "easter-47": "mardi gras",
            "easter+39": ("ascension, jeudi de l'ascension, jour de l'ascension, l'ascension"),
            "easter+49": "pentecôte, dimanche de pentecôte",
            "easter+50": "lundi de pentecôte",
            "advent": ("premier dimanche de l'avent"),
            "6-sun-3": ("fête des pères"),
            "11-25": ("sainte-catherine, la sainte-catherine"),
            "12-8": ("immaculée conception"),
            "9-29": ("saint-michel, la saint-michel"),
            "3-17": ("saint-patrick, la saint-patrick"),
            "easter-1": ("samedi saint"),
            "easter+60": ("fête-dieu"),
            "easter-48": ("lundi gras"),
            "3-8": ("journée internationale des femmes, journée de la femme"),
        },
        "hundred": {True: ("cent, cents")},
        "advent_word": {True: ("dimanche de l'avent, dimanche d'avent")},
        "rest_of": {True: ("reste de, reste du")},
        "within": {True: ("dans un délai de, en l'espace de")},
        "whole_of": {True: ("tout, toute, entier, entière, courant, courant du mois de")},
        "early_late": {True: ("tôt, tard")},
        "weekday_many": {
            0: ("lundis"),
            1: ("mardis"),
            2: ("mercredis"),
            3: ("jeudis"),
            4: ("vendredis"),
            5: ("samedis"),
            6: ("dimanches"),
        },
        "letter_month": {0: ("courant, ct.")},
        "named_decade": {
            70: ("années septante"),
            90: ("années nonante"),
            80: ("années huitante"),
        },
        "feast_of": {True: ("fête de, fêtes de, jour de")},
        "lent_word": {True: ("dimanche de carême, dimanche du carême")},
        "week_of": {True: ("commençant le, débutant le")},
        "group": {
            10: ("dizaine"),
            12: ("douzaine"),
            20: ("vingtaine"),
            30: ("trentaine"),
            40: ("quarantaine"),
            50: ("cinquantaine"),
            100: ("centaine"),
            8: ("huitaine"),
        },
        "night_to": {True: ("au")},
    },
    ambiguous=frozenset(
        {
            "du matin",
            "du soir",
            "au soir",
            "au matin",
            "de la nuit",
            "mar",
            "mer",
            "jeu",
            "sam",
            "dim",
            "ven",
            "ete",
            "mars",
            "jun",
            "s",
            "quotidien",
            "annuel",
            "assomption",
            "ascension",
            "midi",
            "passe",
            "automne",
            "maintenant",
            "armistice",
            "la nuit",
            "le soir",
        }
    ),
    introducing=frozenset(
        {
            "en",
            "depuis",
            "le",
            "avant",
            "après",
            "jusqu'à",
            "vers",
            "au",
            "dès",
            "de",
            "du",
            "dans",
            "cet",
            "l",
            "d",
        }
    ),
    past=frozenset(
        list_words(
            "était étaient étais avait avaient avais ai as avons avez ont suis fut furent eut fit allé "
            "allée venu vu fait pris été étions avions"
        )
    ),
    past_endings=("ait", "aient", "ais"),
    future=frozenset({"vais", "allons", "va", "vont", "dois", "devons", "demain", "veux", "voudrais"}),
    future_endings=("erai", "erons", "era", "irai", "irons", "ira"),
)
