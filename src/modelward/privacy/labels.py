"""Words that say what the number beside them is: "SSN:", "Telefon", "order". A number alone is often ambiguous."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache

from modelward.privacy.alternatives import Alternatives, listed

PHONE_WORD, CARD_WORD, SSN_WORD, NATIONAL_WORD, OTHER_WORD = "phone", "card", "ssn", "national", "other"

_INSIDE = {
    SSN_WORD: "social security,socialsecurity,social_security",
    NATIONAL_WORD: """
        national[ _-]?(?:id|insurance|identity),personal[ _-]?(?:id|number|code|identi),
        identity[ _-]?(?:card|number|no),tax[ _-]?(?:id|payer|file|number|code),
        health[ _-]?(?:card|insurance|number),medicare,insurance number,driv(?:er|ing)['s]*[ _-]?licen[cs]e,
        licen[cs]e number,social insurance,passport,reisepass,pasaporte,passeport,passaporto,paspoort,
        paszport,personalausweis,steuer[ -]?(?:id|nummer|identifikation),sozialversicherung,ausweisnummer,passnummer,
        rentenversicherung,führerschein,s[ée]curit[ée] sociale,num[ée]ro fiscal,carte d'identit,
        seguridad social,documento nacional,c[ée]dula,codice fiscale,carta d'identit,burgerservice,
        personnummer,personnr,f[øo]dselsnummer,henkil[öo]tunnus,aadhaar,aadhar,emirates id,
        bilhete de identidade,rodn[ée] [čc][íi]slo,numer pesel,паспорт,снилс,инн,
        身份证,身分證,주민등록,マイナンバー,个人番号,個人番号
        """,
    PHONE_WORD: """
        phone,telefon,t[ée]l[ée]phone,tel[ée]fono,mobil,cell(?:ular)?[ :_-],handy,m[óo]vil,celular,
        portable,whatsapp,hotline,rufnummer,festnetz,durchwahl,anrufen,erreich,contact number,
        meine nummer,seine nummer,ihre nummer,deine nummer,mi n[úu]mero,su n[úu]mero,mon num[ée]ro,
        son num[ée]ro,my number,his number,her number,your number,their number,ll[áa]ma,appele[zr]?,
        call me,call us,reach me,reach us,ring me,text me,电话,電話,手机,전화,телефон
        """,
    CARD_WORD: """
        credit,debit,visa,mastercard,amex,kreditkarte,tarjeta,carte bancaire,carte bleue,card[ _-]?(?:number|no|nr)
        """,
    OTHER_WORD: """
        order,ust-id,umsatzsteuer,invoice,rechnung,bestell,auftrag,tracking,sendung,shipment,ticket,reference,version,
        release,chapter,kapitel,section,abschnitt,serial,timestamp,commit,checksum,article,artikel,
        product,population,latitude,longitude,barcode,pedido,factura,commande,facture,quantity,
        amount,transaction,booking,flight,customer (?:id|no|number),kundennummer
        """,
}
_WHOLE = {
    SSN_WORD: "ssns?,ssnr,my social,your social,his social,her social,itin,tin",
    NATIONAL_WORD: """
        nino,nhs,ni number,ni no,sin,tfn,idnr,steuer-?idnr,svnr,sv-nummer,ahv,avs,nir,insee,dni,
        nie,nif,curp,cpf,cnpj,cuil,cuit,rut,run,bsn,pesel,cpr,hetu,cnp,egn,pan,nric,fin,
        hkid,mykad,nik,ktp,rrn,tckn,tc kimlik,kimlik,id card,ausweis,amka,afm,oib,jmbg,emso,pps,
        ppsn,dl no,dl number,mbi,itr,teudat zehut,iqama,cnh,rg
        """,
    PHONE_WORD: "tel,telnr,tlf,fax,cell,call,dial,ring,ph,mob,tél,nummer lautet,rufen,anruf,reach,movil",
    CARD_WORD: "cards?,cc,karte,carte,mc",
    OTHER_WORD: """
        vat,mwst,imei,imsi,iccid,isbn,issn,ean,gtin,upc,sku,asin,doi,ref,build,rev,rows?,pages?,room,
        batch,lot,epoch,unix,bytes,size,count,total,sum,lat,lon,lng,long,port,pid,uid,gid,
        part no,part number,item no,sha,md5,hash,uuid,guid,offset,seed,ids?,ver,step,figure,fig,
        firmware,oracle,oid,nonce,seq,duration,ns,crc,vin,lines?,matrix,vector,scores?,weights,
        logits,cas,zip,plz
        """,
}
"""Words that stand anywhere in a longer one, and words that stand alone."""


_UNSPACED = ("身份证", "身分證", "주민등록", "マイナンバー", "个人番号", "個人番号", "电话", "電話", "手机", "전화")
"""Words of scripts that put no space between words."""
_INSIDE_WORDS = {kind: listed(words) for kind, words in _INSIDE.items()}
_WHOLE_WORDS = {kind: listed(words) for kind, words in _WHOLE.items()}
_WORDS = Alternatives(
    [word for words in _INSIDE_WORDS.values() for word in words]
    + [rf"{word}(?![^\W\d_])" for words in _WHOLE_WORDS.values() for word in words],
    inside=("telefon", "phone", "ausweisnummer", "steuer", "passport", *_UNSPACED),
)
_KINDS = [(kind, re.compile("|".join(words))) for part in (_INSIDE_WORDS, _WHOLE_WORDS) for kind, words in part.items()]


@lru_cache(maxsize=1024)
def _kind_of(word: str) -> str:
    return next(kind for kind, pattern in _KINDS if pattern.fullmatch(word))


_NEEDS_CAPITALS = frozenset(
    ("sin", "pan", "fin", "rut", "rg", "nie", "nir", "nik", "tin", "cpr", "nif", "run", "pps", "itr")
)
"""Short names of numbers that are also words; they count as `SIN` or as a key in quotes."""
_LONGEST_GAP, _LONGEST_LIST = 40, 80
_GAP = re.compile(r"(?:[^\d\]\[\n{};|&<>]{0,40}|[^\w\]\[]{0,16}|[^\d\]\[\n{};|&]{0,12}>[ ]?)")
_TIGHT_GAP = re.compile(
    r"[\s\"'#:=._(-]{0,4}(?:(?:no|nr|number|nummer|id|code|is|was|of|the|for|=)\b[\s\"'#:=.]{0,3}){0,2}"
)
"""What may stand between a word for other numbers and its number; further away it says nothing."""
_NEXT_FIELD = re.compile(r",[^,]*[\":=]")
_LIST = re.compile(r"(?:s|numbers?|nummern?)?[\"' ]?[:=]?(?:[\d\s.,;/()+*\"'\[-]|and|or|und|oder|ou|et|y)*")
_BEHIND = re.compile(
    r"[ \"']{0,2}(?:\(|is |was |= |as |, |ist |es |est |- )"
    r"(?:my |the |our |his |her |their |a |an |mein |meine |die |mi |mon |ma )?"
)
_IS_KEY = re.compile(r"[\"']|[ ]?[=:>]")
_BEHIND_PHONE = re.compile(rf"(?:{_BEHIND.pattern}|[ -]{{1,2}}\(?)")


@lru_cache(maxsize=1)
def labels_of(text: str) -> Labels:
    """Return the label words of a text, which several detectors ask for."""
    return Labels(text)


class Labels:
    """The label words of one text, found once and looked up by place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._kinds: list[str] = []
        for found in _WORDS.found_in(text):
            if found.group() in _NEEDS_CAPITALS and not self._is_name(found.start(), found.end()):
                continue
            self._starts.append(found.start())
            self._ends.append(found.end())
            self._kinds.append(_kind_of(found.group()))

    def _is_name(self, start: int, end: int) -> bool:
        return self._text[start:end].isupper() or _IS_KEY.match(self._text, end) is not None

    @property
    def personal(self) -> list[int]:
        """Where words stand for phone numbers and for numbers by which states know people."""
        kinds = (PHONE_WORD, SSN_WORD, NATIONAL_WORD)
        return [start for start, kind in zip(self._starts, self._kinds, strict=True) if kind in kinds]

    def stand_in(self, start: int, end: int) -> bool:
        """Say whether a word begins between two places."""
        return bisect_left(self._starts, start) < bisect_left(self._starts, end)

    def of(self, start: int, end: int) -> str:
        """Return which word stands before a number, or else behind it; "" if none does."""
        return self._before(start) or self._behind(end)

    def _before(self, start: int) -> str:
        index = bisect_right(self._ends, start) - 1
        if index < 0 or start - self._ends[index] > _LONGEST_LIST:
            return ""
        gap = self._text[self._ends[index] : start]
        pattern = _TIGHT_GAP if self._kinds[index] == OTHER_WORD else _GAP
        near = len(gap) <= _LONGEST_GAP and pattern.fullmatch(gap) and not _NEXT_FIELD.search(gap)
        return self._kinds[index] if near or _LIST.fullmatch(gap) else ""

    def _behind(self, end: int) -> str:
        index = bisect_left(self._starts, end)
        if index == len(self._starts) or self._starts[index] - end > 20 or self._kinds[index] == OTHER_WORD:
            return ""
        between = _BEHIND_PHONE if self._kinds[index] == PHONE_WORD else _BEHIND
        return self._kinds[index] if between.fullmatch(self._text, end, self._starts[index]) else ""
