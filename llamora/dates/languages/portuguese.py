"""Portuguese words of time, of Portugal and of Brazil."""

from llamora.dates.lexicon import LanguageTable, list_words

_FAIRS = ("segunda", "terça", "quarta", "quinta", "sexta")

TABLE = LanguageTable(
    code="pt",
    day_first=True,
    bare_days=True,
    ordinal_suffixes=frozenset({"o", "a"}),
    joiner=" e ",
    numbers=list_words(
        "zero um/uma dois/duas três quatro cinco seis sete oito nove dez onze doze treze catorze/quatorze "
        "quinze dezesseis/dezasseis dezessete/dezassete dezoito dezenove/dezanove"
    ),
    tens={
        20: "vinte",
        30: "trinta",
        40: "quarenta",
        50: "cinquenta",
        60: "sessenta",
        70: "setenta",
        80: "oitenta",
        90: "noventa",
    },
    plurals=frozenset(
        list_words("segundos minutos horas dias noites semanas meses trimestres anos décadas séculos")
    ),
    words={
        "since": {True: "desde, desde o, desde a"},
        "day_before": {True: "véspera de"},
        "weekday": {
            **{number: f"{fair}-feira, {fair}, {fair}feira" for number, fair in enumerate(_FAIRS)},
            0: "segunda-feira, segunda, segundafeira, seg., 2a feira, 2a-feira",
            1: "terça-feira, terça, ter., 3a feira, 3a-feira",
            2: "quarta-feira, quarta, qua., 4a feira, 4a-feira",
            3: "quinta-feira, quinta, qui., 5a feira, 5a-feira",
            4: "sexta-feira, sexta, sex., 6a feira, 6a-feira",
            5: "sábado, sáb.",
            6: "domingo, dom.",
        },
        "weekdays": {
            **{
                number: (
                    f"às {fair}s-feiras, às {fair}s, {fair}s-feiras, nas {fair}s-feiras, nas {fair}s, todas "
                    f"as {fair}s-feiras, todas as {fair}s"
                )
                for number, fair in enumerate(_FAIRS)
            },
            5: "aos sábados, sábados, todos os sábados, nos sábados",
            6: "aos domingos, domingos, todos os domingos, nos domingos",
        },
        "month": {
            1: "janeiro, jan.",
            2: "fevereiro, fev.",
            3: "março, mar.",
            4: "abril, abr.",
            5: "maio, mai.",
            6: "junho, jun.",
            7: "julho, jul.",
            8: "agosto, ago.",
            9: "setembro, set.",
            10: "outubro, out.",
            11: "novembro, nov.",
            12: "dezembro, dez.",
        },
        "unit": {
            "second": "segundo, segundos, seg.",
            "minute": "minuto, minutos, min.",
            "hour": "hora, horas",
            "day": "dia, dias",
            "night": "noite, noites",
            "week": "semana, semanas",
            "weekend": "fim de semana, fins de semana, final de semana, fim-de-semana, finais de semana",
            "month": "mês, meses",
            "quarter": "trimestre, trimestres",
            "year": "ano, anos",
            "decade": "década, décadas",
            "century": "século, séculos",
        },
        "unit_letter": {"hour": "h", "minute": "min, m", "second": "s"},
        "half_hour": {
            (30, "minute"): "meia hora, meia-hora",
            (15, "minute"): "quarto de hora",
            (45, "minute"): "três quartos de hora",
            (14, "day"): "quinzena",
            (90, "minute"): "hora e meia",
        },
        "season": {"spring": "primavera", "summer": "verão", "autumn": "outono", "winter": "inverno"},
        "daypart": {
            "morning": "manhã, madrugada, manhãs",
            "noon": "meio-dia",
            "afternoon": "tarde, tardes",
            "evening": "noite, noites",
        },
        "inpart": {
            "morning": (
                "da manhã, de manhã, pela manhã, na manhã, da madrugada, de madrugada, na madrugada, à manhã"
            ),
            "afternoon": "da tarde, de tarde, à tarde, pela tarde, na tarde",
            "evening": "da noite, de noite, à noite, pela noite, na noite",
        },
        "relday": {
            0: "hoje, hoje em dia",
            -1: "ontem",
            1: "amanhã",
            -2: "anteontem, antes de ontem",
            2: "depois de amanhã",
        },
        "relpart": {
            (0, "evening"): "hoje à noite, esta noite, hoje a noite, nesta noite",
            (0, "morning"): "hoje de manhã, esta manhã, hoje pela manhã, nesta manhã",
            (0, "afternoon"): "hoje à tarde, esta tarde, hoje de tarde, hoje a tarde, nesta tarde",
            (-1, "evening"): "ontem à noite, noite passada, a noite passada, ontem a noite, na noite passada",
            (1, "evening"): "amanhã à noite, amanhã a noite",
            (1, "morning"): "amanhã de manhã, amanhã cedo, amanhã pela manhã",
            (1, "afternoon"): "amanhã à tarde, amanhã a tarde",
        },
        "rel": {
            -1: "passado, passada, passados, passadas, último, última, últimos, últimas, anterior",
            0: "este, esta, neste, nesta, deste, desta, esse, essa, nesse, nessa, corrente, atual, presente",
            1: "próximo, próxima, próximos, próximas, seguinte, que vem, que entra, vindouro",
        },
        "post_rel": {0: "em curso", -2: "retrasado, retrasada"},
        "now": {True: "agora, agora mesmo, neste momento, já"},
        "ago_pre": {True: "há, há cerca de, faz, há uns, tem, há umas"},
        "ago_post": {True: "atrás"},
        "in_pre": {True: "em, dentro de, daqui a, daqui, em cerca de, dentro de uns, d'aqui a"},
        "hence_post": {True: "a partir de agora, a partir de hoje, a contar de hoje"},
        "later_post": {True: "depois, mais tarde"},
        "earlier_post": {True: "antes"},
        "before": {True: "antes de, antes do, antes da"},
        "after": {True: "depois de, depois do, depois da, após, após o, após a"},
        "from_base": {True: "a partir de, a partir do, a partir da"},
        "on": {True: "em, no, na, ao, para"},
        "of": {True: "de, do, da, em, dos, das, no"},
        "in": {True: "em, no, na"},
        "the": {True: "o, a, os, as, nos, nas, no, na"},
        "at": {True: "às, à, as, pelas, por volta das, cerca das, lá pelas, ao, a, desde as"},
        "from": {True: "de, do, da, desde, das, desde o, desde as"},
        "to": {True: "a, até, ao, às, até ao, até as, até às, à, até o"},
        "between": {True: "entre, entre o, entre as"},
        "and": {True: "e, e o, e as"},
        "for_pre": {True: "por, durante, desde há, para"},
        "long_post": {True: "seguidos, seguidas"},
        "every": {True: "cada, todo, toda, todos os, todas as, a cada, todo o, toda a"},
        "other": {True: "dois, duas"},
        "often": {
            "daily": "diário, diária, diariamente, todos os dias, todo dia, cada dia",
            "weekly": "semanal, semanalmente, todas as semanas, toda semana",
            "monthly": "mensal, mensalmente, todos os meses, todo mês",
            "yearly": "anual, anualmente, todos os anos, todo ano",
            "every 2 weeks": "quinzenal, quinzenalmente, semana sim semana não",
            "every 2 days": "dia sim dia não",
            "every 3 months": "trimestral, trimestralmente",
        },
        "once": {True: "uma vez por, uma vez ao, uma vez a cada"},
        "about": {
            True: "cerca de, por volta de, aproximadamente, por volta do, circa, mais ou menos, perto de"
        },
        "edge": {
            "begin": (
                "início, no início, começo, no começo, início dos, princípio, "
                "início de, no início de, começo de, no começo de, princípio de, inícios de, princípios "
                "de, no início do, início do, começo do, início da, no princípio de"
            ),
            "middle": (
                "meados, em meados, meados de, em meados de, meio de, meados do, em meados do, no meio de"
            ),
            "end": (
                "fim, no fim, final, no final, finais, em finais, "
                "fim de, no fim de, final de, no final de, fins de, finais de, no final do, no fim do, fim "
                "do, final do, em finais de, em fins de, final da"
            ),
        },
        "half_amount": {True: "meio, meia"},
        "half_add": {True: "e meio, e meia"},
        "half_after": {True: "e meia, e trinta, e meio"},
        "quarter_after": {True: "e um quarto, e quinze"},
        "quarter_before": {True: "menos um quarto, menos quinze"},
        "three_quarters": {True: "quinze para as, um quarto para as, quinze para a, um quarto para a"},
        "minus": {True: "menos"},
        "plus": {True: "e"},
        "till": {True: "para as, para a"},
        "oclock": {True: "horas, hora, em ponto, hs."},
        "minute_word": {True: "minutos, minuto"},
        "noon": {True: "meio-dia"},
        "midnight": {True: "meia-noite"},
        "am": {True: "am, a.m., a.m"},
        "pm": {True: "pm, p.m., p.m"},
        "year_word": {True: "ano, o ano, ano de"},
        "decade_word": {True: "anos, os anos, década de, a década de, década dos"},
        "century": {True: "século, séc."},
        "quarter_label": {True: "t"},
        "half_label": {True: "s"},
        "quarter_word": {True: "trimestre"},
        "half_word": {True: "semestre, metade"},
        "week_word": {True: "semana, semana número"},
        "nth_last": {-2: "penúltimo, penúltima"},
        "ord": {
            1: "primeiro, primeira",
            2: "segundo, segunda",
            3: "terceiro, terceira",
            4: "quarto, quarta",
            5: "quinto, quinta",
            6: "sexto, sexta",
            7: "sétimo, sétima",
            8: "oitavo, oitava",
            9: "nono, nona",
            10: "décimo, décima",
        },
        "thousand": {2000: "dois mil", 1000: "mil"},
        "a": {True: "um, uma"},
        "couple": {True: "par"},
        "dayword": {True: "dia, o dia, no dia"},
        "later_week": {True: "a oito dias"},
        "workday": {True: "dia útil, dia de semana"},
        "workdays": {True: "durante a semana, nos dias úteis"},
        "holiday": {
            "12-25": "natal, dia de natal",
            "12-24": "véspera de natal, noite de natal, consoada",
            "12-31": (
                "véspera de ano novo, véspera de ano-novo, réveillon, réveillon de ano novo, passagem de "
                "ano, são silvestre"
            ),
            "1-1": "ano novo, ano-novo, dia de ano novo, dia de ano-novo",
            "1-6": "dia de reis, epifania",
            "2-14": "dia de são valentim, são valentim",
            "4-25": "dia da liberdade",
            "5-1": "dia do trabalho, dia do trabalhador",
            "6-12": "dia dos namorados",
            "6-10": "dia de portugal",
            "6-13": "santo antónio, santo antônio",
            "6-24": "são joão",
            "8-15": "assunção",
            "9-7": "dia da independência",
            "10-12": "dia das crianças",
            "10-31": "halloween, dia das bruxas",
            "11-1": "todos os santos, dia de todos os santos",
            "11-2": "dia de finados, finados",
            "12-8": "imaculada conceição",
            "easter": "páscoa, domingo de páscoa",
            "easter+1": "segunda-feira de páscoa",
            "easter-2": "sexta-feira santa, sexta santa",
            "easter-3": "quinta-feira santa",
            "easter-7": "domingo de ramos",
            "easter-46": "quarta-feira de cinzas",
            "easter-47": "terça-feira de carnaval, terça-feira gorda, carnaval",
            "easter+49": "pentecostes",
            "easter+60": "corpo de deus, corpus christi",
        },
    },
    ambiguous=frozenset(
        {
            "segunda",
            "terca",
            "quarta",
            "quinta",
            "sexta",
            "mar",
            "set",
            "out",
            "dom",
            "ter",
            "qua",
            "qui",
            "sex",
            "seg",
            "mai",
            "ago",
            "dez",
            "ja",
            "diario",
            "anual",
            "tarde",
            "segundo",
            "sab",
            "jan",
            "abr",
            "fev",
            "natal",
            "agora",
            "meio dia",
            "carnaval",
            "assuncao",
            "jul",
            "jun",
            "nov",
        }
    ),
    introducing=frozenset(
        {
            "em",
            "no",
            "na",
            "desde",
            "até",
            "para",
            "de",
            "do",
            "da",
            "ao",
            "antes",
            "por",
            "nesta",
            "neste",
        }
    ),
    past=frozenset(
        list_words(
            "foi foram fui era eram tinha tinham tenho estive esteve estava fez fiz teve tive veio vim "
            "disse vi viu fomos estivemos fizemos"
        )
    ),
    past_endings=("ava", "avam", "amos", "aram", "ei", "ou", "eram", "iram", "emos"),
    future=frozenset({"vou", "vamos", "vai", "vão", "irei", "iremos", "devo", "quero", "farei"}),
    future_endings=("arei", "erei", "irei", "aremos", "eremos", "iremos"),
)
