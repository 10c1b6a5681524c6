"""Spanish words of time."""

from llamora.dates.lexicon import LanguageTable, list_words

_TWENTIES = ["uno/un/una", "dos", "trés/tres", "cuatro", "cinco", "séis/seis", "siete", "ocho", "nueve"]

TABLE = LanguageTable(
    code="es",
    day_first=True,
    bare_days=True,
    ordinal_suffixes=frozenset({"o", "a", "ro", "er", "ra", "do", "da", "to", "ta"}),
    joiner=" y ",
    numbers=list_words(
        "cero un/uno/una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
        "dieciséis diecisiete dieciocho diecinueve"
    ),
    tens={
        20: "veinte",
        30: "treinta",
        40: "cuarenta",
        50: "cincuenta",
        60: "sesenta",
        70: "setenta",
        80: "ochenta",
        90: "noventa",
    },
    twenties={
        20 + number: "/".join(f"veinti{one}" for one in words.split("/"))
        for number, words in enumerate(_TWENTIES, 1)
    },
    plurals=frozenset(
        list_words("segundos minutos horas días noches semanas meses trimestres años décadas siglos")
    ),
    words={
        "since": {True: "desde, desde el"},
        "day_before": {True: "víspera de"},
        "weekday": {
            0: "lunes, lun.",
            1: "martes, mar.",
            2: "miércoles, mié.",
            3: "jueves, jue.",
            4: "viernes, vie.",
            5: "sábado, sáb.",
            6: "domingo, dom.",
        },
        "weekdays": {
            0: "los lunes, todos los lunes",
            1: "los martes, todos los martes",
            2: "los miércoles, todos los miércoles",
            3: "los jueves, todos los jueves",
            4: "los viernes, todos los viernes",
            5: "sábados, los sábados, todos los sábados",
            6: "domingos, los domingos, todos los domingos",
        },
        "month": {
            1: "enero, ene.",
            2: "febrero, feb.",
            3: "marzo, mar.",
            4: "abril, abr.",
            5: "mayo, may.",
            6: "junio, jun.",
            7: "julio, jul.",
            8: "agosto, ago., agto.",
            9: "septiembre, setiembre, sept., sep., set.",
            10: "octubre, oct.",
            11: "noviembre, nov.",
            12: "diciembre, dic.",
        },
        "unit": {
            "second": "segundo, segundos, seg.",
            "minute": "minuto, minutos, min.",
            "hour": "hora, horas",
            "day": "día, días",
            "night": "noche, noches",
            "week": "semana, semanas",
            "weekend": "fin de semana, fines de semana, finde",
            "month": "mes, meses",
            "quarter": "trimestre, trimestres",
            "year": "año, años",
            "decade": "década, décadas, decenio",
            "century": "siglo, siglos",
        },
        "unit_letter": {"hour": "h", "minute": "min, m", "second": "s"},
        "half_hour": {
            (30, "minute"): "media hora",
            (15, "minute"): "cuarto de hora",
            (45, "minute"): "tres cuartos de hora",
            (14, "day"): "quincena",
            (90, "minute"): "hora y media",
        },
        "season": {"spring": "primavera", "summer": "verano", "autumn": "otoño", "winter": "invierno"},
        "daypart": {
            "morning": "mañana, madrugada, mañanas",
            "noon": "mediodía",
            "afternoon": "tarde, tardes",
            "evening": "noche, noches",
        },
        "inpart": {
            "morning": (
                "de la mañana, por la mañana, en la mañana, a la mañana, de la madrugada, por las mañanas, "
                "temprano en la mañana, de madrugada"
            ),
            "noon": "del mediodía, al mediodía, a mediodía",
            "afternoon": "de la tarde, por la tarde, en la tarde, a la tarde, por las tardes",
            "evening": "de la noche, por la noche, en la noche, a la noche, por las noches",
        },
        "relday": {
            0: ("hoy, el día de hoy, hoy mismo, hoy día"),
            -1: "ayer",
            1: "mañana",
            -2: "anteayer, antes de ayer, antier, antesdeayer",
            2: "pasado mañana",
            -3: "trasanteayer",
            3: ("traspasado mañana"),
        },
        "relpart": {
            (0, "evening"): "esta noche, hoy por la noche",
            (0, "morning"): ("esta mañana, hoy por la mañana, hoy temprano"),
            (0, "afternoon"): ("esta tarde, hoy por la tarde"),
            (-1, "evening"): "anoche, ayer noche",
            (-2, "evening"): ("anteanoche, antenoche, anteayer por la noche, antes de ayer por la noche"),
            (1, "morning"): "mañana por la mañana, mañana temprano, mañana en la mañana",
            (0, "noon"): "este mediodía",
            (-1, "morning"): ("ayer por la mañana, ayer en la mañana"),
            (-1, "afternoon"): ("ayer por la tarde, ayer en la tarde, ayer tarde"),
            (1, "afternoon"): ("mañana por la tarde, mañana en la tarde, mañana a la tarde"),
            (1, "evening"): ("mañana por la noche, mañana en la noche, mañana a la noche"),
            (-1, "noon"): ("ayer al mediodía, ayer a mediodía"),
        },
        "rel": {
            -1: "pasado, pasada, pasados, pasadas, último, última, últimos, últimas, anterior",
            0: "este, esta, estos, estas, presente, actual",
            1: (
                "próximo, próxima, próximos, próximas, siguiente, siguientes, que viene, que entra, "
                "entrante, venidero, venidera"
            ),
            -2: ("antepasado, antepasada, trasanterior"),
        },
        "post_rel": {0: "en curso, corriente", -2: "antepasado, antepasada, penúltimo", 2: "subsiguiente"},
        "now": {True: "ahora, ahora mismo, en este momento, ya mismo"},
        "ago_pre": {
            True: (
                "hace, hace unos, hace como, hace ya, hace alrededor de, hará, hace casi, hace cerca de, "
                "hace aproximadamente, hace más o menos, hace exactamente"
            )
        },
        "ago_post": {True: "atrás"},
        "in_pre": {True: "en, dentro de, de aquí a, en unos"},
        "hence_post": {True: "a partir de ahora, desde ahora, a partir de hoy, desde hoy, a contar de hoy"},
        "later_post": {True: "más tarde, después, luego"},
        "earlier_post": {True: "antes"},
        "before": {True: "antes de, antes del"},
        "after": {True: "después de, después del, tras"},
        "from_base": {True: "a partir de, a partir del, desde, desde el"},
        "on": {True: "el, en, para"},
        "of": {True: "de, del, de la, en, de los, en el"},
        "in": {True: "en"},
        "the": {True: "el, la, los, las, lo"},
        "at": {True: "a, a las, a la, sobre las, hacia las, las, la, desde las, a eso de las"},
        "from": {True: "de, del, desde, desde el, desde la, de las, desde las"},
        "to": {True: "a, al, hasta, hasta el, hasta la, hasta las, a las"},
        "between": {True: "entre, entre el, entre las"},
        "and": {True: "y, e, y el, y las"},
        "for_pre": {True: ("durante, por, desde hace, para, a lo largo de, en el curso de")},
        "long_post": {True: "seguidos, seguidas"},
        "every": {True: "cada, todos los, todas las"},
        "other": {True: "dos"},
        "often": {
            "daily": "diario, diaria, diariamente, todos los días, cada día, a diario",
            "weekly": "semanal, semanalmente, todas las semanas",
            "monthly": "mensual, mensualmente, todos los meses",
            "yearly": "anual, anualmente, todos los años",
            "every 2 weeks": "quincenal, quincenalmente, una semana sí y otra no, cada quince días",
            "every 2 days": "un día sí y otro no",
            "every 3 months": "trimestral, trimestralmente",
        },
        "once": {True: "una vez a, una vez por, una vez al, una vez cada"},
        "about": {
            True: (
                "alrededor de, hacia, sobre, aproximadamente, unos, circa, cerca de, más o menos, hacia "
                "el, alrededor del, casi, como"
            )
        },
        "edge": {
            "begin": (
                "principios, a principios, comienzos, inicios, "
                "principios de, a principios de, comienzos de, a comienzos de, inicios de, a inicios de, "
                "principio de, a principios del, principios del, comienzo de, inicio de"
            ),
            "middle": ("mediados, a mediados, mediados de, a mediados de, mediados del, a mediados del"),
            "end": (
                "finales, a finales, fines, a fines, "
                "finales de, a finales de, fines de, a fines de, fin de, final de, finales del, a finales "
                "del, final del, fin del"
            ),
        },
        "half_amount": {True: "medio, media"},
        "half_add": {True: "y medio, y media"},
        "half_after": {True: "y media, y treinta"},
        "quarter_after": {True: "y cuarto"},
        "quarter_before": {True: "menos cuarto, menos un cuarto"},
        "minus": {True: "menos"},
        "plus": {True: "y"},
        "quarter_clock": {True: "cuarto"},
        "till": {True: "para las, para la"},
        "oclock": {True: "en punto, horas, hora, hrs., h., hs."},
        "minute_word": {True: "minutos, minuto"},
        "noon": {True: "mediodía, medio día"},
        "midnight": {True: "medianoche, media noche"},
        "am": {True: "am, a.m., a. m., a.m"},
        "pm": {True: "pm, p.m., p. m., p.m"},
        "year_word": {True: ("año, el año, del año, año de, el año de, año del señor")},
        "decade_word": {
            True: "años, los años, década de los, década de, década del, la década de los, la década de"
        },
        "century": {True: "siglo"},
        "quarter_label": {True: "t"},
        "half_label": {True: "s"},
        "quarter_word": {True: "trimestre"},
        "half_word": {True: "semestre, mitad"},
        "week_word": {True: "semana, semana número"},
        "nth_last": {-2: "penúltimo, penúltima"},
        "ord": {
            1: ("primero, primera, primer, primeros, primeras"),
            2: "segundo, segunda",
            3: "tercero, tercera, tercer",
            4: "cuarto, cuarta",
            5: "quinto, quinta",
            6: "sexto, sexta",
            7: "séptimo, séptima",
            8: "octavo, octava",
            9: "noveno, novena",
            10: "décimo, décima",
        },
        "thousand": {2000: "dos mil", 1000: "mil"},
        "a": {True: "un, una"},
        "couple": {True: "par"},
        "dayword": {True: "día, el día, dia"},
        "later_week": {7: "en ocho días"},
        "workday": {True: "día laborable, día hábil, día de semana"},
        "workdays": {True: "entre semana, los días laborables, los días hábiles"},
        "holiday": {
            "12-25": "navidad, día de navidad, navidades",
            "12-24": "nochebuena, noche buena, víspera de navidad",
            "12-31": "nochevieja, noche vieja, fin de año, víspera de año nuevo, san silvestre",
            "1-1": "año nuevo, día de año nuevo",
            "1-6": "día de reyes, reyes, epifanía, reyes magos, día de los reyes magos",
            "2-14": "san valentín, día de san valentín, día de los enamorados",
            "5-1": "día del trabajo, día del trabajador, día de los trabajadores",
            "6-24": "san juan, día de san juan",
            "8-15": "asunción",
            "10-12": "día de la hispanidad, día de la raza",
            "10-31": "halloween, noche de brujas",
            "11-1": "todos los santos, día de todos los santos",
            "11-2": "día de los muertos, día de muertos, día de los difuntos",
            "12-6": "día de la constitución",
            "12-8": ("inmaculada concepción, la inmaculada, inmaculada, día de la inmaculada"),
            "12-28": "día de los inocentes, santos inocentes, día de los santos inocentes",
            "easter": "pascua, domingo de pascua, domingo de resurrección",
            "easter+1": "lunes de pascua",
            "easter-2": "viernes santo",
            "easter-3": "jueves santo",
            "easter-1": "sábado santo",
            "easter-7": "domingo de ramos",
            "easter-46": "miércoles de ceniza",
            "easter-47": "martes de carnaval",
            "easter+49": ("pentecostés, domingo de pentecostés"),
            "easter+60": "corpus christi",
            "advent": ("primer domingo de adviento"),
            "11-thu-4": ("día de acción de gracias, acción de gracias"),
            "11-thu-4+1": ("black friday, viernes negro"),
            "easter+50": ("lunes de pentecostés"),
            "easter-48": ("lunes de carnaval"),
            "3-19": ("san josé, día de san josé"),
            "7-25": ("santiago apóstol, día de santiago"),
            "12-26": ("san esteban"),
            "easter+39": ("día de la ascensión, ascensión del señor"),
            "6-29": ("san pedro y san pablo, san pedro"),
            "2-2": ("la candelaria, candelaria"),
            "4-23": ("san jorge, sant jordi"),
            "11-11": ("san martín"),
            "6-sun-3": ("día del padre"),
        },
        "hundreds": {
            100: ("cien, ciento"),
            500: ("quinientos"),
            600: ("seiscientos"),
            700: ("setecientos"),
            800: ("ochocientos"),
            900: ("novecientos"),
            400: ("cuatrocientos"),
            300: ("trescientos"),
            200: ("doscientos"),
        },
        "advent_word": {True: ("domingo de adviento, domingo del adviento")},
        "rest_of": {True: ("resto de, resto del")},
        "within": {True: ("en el plazo de, en un plazo de, en el transcurso de")},
        "whole_of": {True: ("todo, toda")},
        "early_late": {True: ("temprano, tarde")},
        "weekday_many": {
            0: ("lunes"),
            1: ("martes"),
            2: ("miércoles"),
            3: ("jueves"),
            4: ("viernes"),
            5: ("sábados"),
            6: ("domingos"),
        },
        "decade_the": {True: ("los")},
        "letter_month": {0: ("del corriente, de los corrientes, del presente")},
        "feast_of": {True: ("fiesta de, día de, fiestas de")},
    },
    ambiguous=frozenset(
        {
            "mar",
            "may",
            "set",
            "dom",
            "mie",
            "vie",
            "sab",
            "jue",
            "lun",
            "manana",
            "segundo",
            "segunda",
            "diario",
            "diaria",
            "anual",
            "ene",
            "ago",
            "dic",
            "reyes",
            "mediodia",
            "tarde",
            "san juan",
            "primavera",
            "ahora",
            "asuncion",
        }
    ),
    introducing=frozenset(
        {"en", "el", "desde", "hasta", "para", "del", "de", "antes", "por", "hacia", "al", "la", "durante"}
    ),
    past=frozenset(
        list_words(
            "fue fueron fui era eran había habían he hemos ha han estuvo estuve estaba hizo hice tuve tuvo "
            "vino vine dijo dije vi vio fuimos estuvimos hicimos"
        )
    ),
    past_endings=("aba", "aban", "amos", "aron", "ieron", "imos"),
    future=frozenset({"voy", "vamos", "va", "van", "iré", "iremos", "tengo", "debo", "quiero", "haré"}),
    future_endings=("aré", "eré", "iré", "aremos", "eremos", "iremos"),
)
