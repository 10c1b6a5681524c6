"""Emoji shortcodes: `:sunflower:` is shown as 🌻, while the stored text stays as typed. Pure.

A shortcode is the Unicode name of an emoji (`:red_apple:`), or a name from other programs that the table
lists. Other text between two colons stays as it is.
"""

import re
import unicodedata

from llamora.text_caches import cache_until_lock

_SHORTCODE = re.compile(r"(?<![\w:]):([a-z0-9+\-][a-z0-9_+\-]{1,40}):(?![\w:])")
_FIRST_PICTOGRAPH, _LAST_PICTOGRAPH = 0x1F300, 0x1FAFF
_ALIAS_TABLE = """
+1 👍 -1 👎 100 💯 airplane ✈️ angry 😠 apple 🍎 baby 👶 beer 🍺 bike 🚲 bird 🐦 birthday 🎂
blue_heart 💙 blush 😊 book 📖 books 📚 boom 💥 bread 🍞 broken_heart 💔 bulb 💡 bus 🚌
cake 🍰 car 🚗 cat 🐱 clap 👏 cloud ☁️ coffee ☕ cold_sweat 😰 confused 😕 cry 😢 crying 😢
dog 🐶 eyes 👀 family 👪 fire 🔥 flower 🌸 frowning 😦 gift 🎁 green_heart 💚 grin 😁
grinning 😀 hand ✋ heart ❤️ heart_eyes 😍 hearts ♥️ heavy_check_mark ✔️ hourglass ⌛
house 🏠 hug 🤗 hugs 🤗 joy 😂 kiss 💋 kissing 😗 laughing 😆 leaves 🍃 lol 😂 mask 😷
moneybag 💰 moon 🌙 muscle 💪 musical_note 🎵 neutral_face 😐 notes 🎶 ok 🆗 ok_hand 👌
party 🎉 pencil ✏️ phone ☎️ pill 💊 pizza 🍕 plane ✈️ pray 🙏 purple_heart 💜 question ❓
rage 😡 rain 🌧️ raised_hands 🙌 relaxed ☺️ relieved 😌 rofl 🤣 running 🏃 sad 😢 scream 😱
seedling 🌱 shrug 🤷 sick 🤒 sleeping 😴 sleepy 😪 smile 😄 smiley 😃 smirk 😏 snow ❄️
snowflake ❄️ snowman ☃️ sob 😭 sparkles ✨ star ⭐ stars 🌠 sun ☀️ sun_with_face 🌞
sunglasses 😎 sunny ☀️ sunrise 🌅 sweat 😓 sweat_smile 😅 tada 🎉 tea 🍵 thinking 🤔
thumbsdown 👎 thumbsup 👍 tired 😫 train 🚆 tree 🌳 umbrella ☔ unamused 😒 upside_down 🙃
v ✌️ warning ⚠️ wave 👋 wedding 💒 white_check_mark ✅ wind 🌬️ wine 🍷 wink 😉 worried 😟
x ❌ yellow_heart 💛 yum 😋 zzz 💤
"""
_ALIASES = dict(zip(*[iter(_ALIAS_TABLE.split())] * 2, strict=True))


def replace_shortcodes(text: str) -> str:
    """Return the text with its shortcodes replaced by emoji."""
    return _SHORTCODE.sub(_replace_match, text) if text.count(":") > 1 else text


def _replace_match(match: re.Match[str]) -> str:
    return _find_emoji(match[1]) or match[0]


@cache_until_lock(512)
def _find_emoji(code: str) -> str:
    if code in _ALIASES:
        return str(_ALIASES[code])
    try:
        character = unicodedata.lookup(code.replace("_", " "))
    except KeyError:
        return ""
    # Pictographs only: every letter has a Unicode name too.
    is_emoji = len(character) == 1 and _FIRST_PICTOGRAPH <= ord(character) <= _LAST_PICTOGRAPH
    return character if is_emoji else ""
