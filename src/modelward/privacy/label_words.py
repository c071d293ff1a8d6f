"""Words that say what the number beside them is, by what they stand for: patterns whose first two letters are fixed."""

from __future__ import annotations

PHONE_WORD, CARD_WORD, SSN_WORD, NATIONAL_WORD, BIRTH_WORD, OTHER_WORD = (
    "phone", "card", "ssn", "national", "birth", "other",
)  # fmt: skip

INSIDE = {
    SSN_WORD: "social security,socialsecurity,social_security",
    NATIONAL_WORD: r"""
        national[ _-]?(?:id|insurance|identity|register|number|no\b),personal[ _-]?(?:id|number|code|identi),
        identity[ _-]?(?:card|number|no),tax[ _-]?(?:id|payer|file|number|code),
        health[ _-]?(?:card|insurance|number),medicare(?:[ _-]?card)?,insurance number,
        driv(?:er|ing)['s]*[ _-]?licen[cs]e,
        licen[cs]e[ _-]?(?:number|no\b|nr\b),social[ _-]?insurance,citizen[ _-]?(?:service|id|number|card),
        resident[ _-]?(?:registration|identity|id\b|number),individual[ _-]?number,licencia,
        carn[ée]t? de (?:conduc|identi),
        permis(?: de conduire| n|:| :),seguro[ _-]?social,assurance[ _-]?(?:sociale|maladie),documento,
        n[úu]m[ée]ro[ _-]?(?:de |d'|du |del )?(?:la |l')?s[ée]cu(?:rit[ée])?(?: sociale)?,
        n[úu]m[ée]ro[ _-]?(?:de |d'|du |del )?(?:la |l')?segur(?:o|idad)?(?: social)?,
        n[úu]m[ée]ro[ _-]?(?:de |d'|du |del )?(?:la |l')?(?:identi|extranj|contribu|nacional|national),
        n[úu]m[ée]ro[ _-]?(?:de |d'|du |del )?(?:la |l')?assur(?:ance)?(?: sociale| maladie)?,
        passport,reisepass,pasaporte,passeport,passaporto,paspoort,
        paszport,personalausweis,steuer[ _-]?(?:id|nummer|identifikation),sozialversicherung,ausweisnummer,passnummer,
        rentenversicherung,führerschein,s[ée]curit[ée] sociale,
        n[úu]m[ée]ro[ _-]?(?:de |du )?(?:fiscal|permis|avs|nhs|nir|medicare|licen|carn),carte d'identit,
        seguridad social,documento nacional,c[ée]dula,codice[ _-]?fiscale,nationalregister,rijksregister,
        carta d'identit,burgerservice,
        personnummer,personnr,f[øo]dselsnummer,henkil[öo]tunnus,aadhaar,aadhar,emirates id,
        bilhete de identidade,rodn[ée] [čc][íi]slo,numer pesel,паспорт,снилс,инн,
        身份证,身分證,주민등록,マイナンバー,个人番号,個人番号
        """,
    PHONE_WORD: r"""
        phone,telefon,r[üu]ckruf,t[ée]l[ée]phone,tel[ée]fono,mobil,cell(?:ular)?[ :_-],handy,m[óo]vil,celular,
        portable,whatsapp,hotline,rufnummer,festnetz,durchwahl,anrufen,erreich,contact number,
        meine nummer,seine nummer,ihre nummer,deine nummer,mi n[úu]mero,su n[úu]mero,mon num[ée]ro,
        son num[ée]ro,my[ _-]?number,his number,her number,your number,their number,ll[áa]ma,appele[zr]?,
        call me,call us,reach me,reach us,ring me,text me,电话,電話,手机,전화,телефон
        """,
    CARD_WORD: r"""
        credit,debit,visa,mastercard,amex,kreditkarte,tarjeta,carte bancaire,carte bleue,card[ _-]?(?:number|no|nr)
        """,
    BIRTH_WORD: r"""
        date[ _-]?of[ _-]?birth,birth[ _-]?da(?:te|y),geburtsdat,geburtstag,fecha[ _-]?de[ _-]?nac,
        date[ _-]?de[ _-]?naiss,data[ _-]?di[ _-]?nascita,data[ _-]?de[ _-]?nascimento,geboortedatum,f[øo]dselsdato,
        data urodzenia,生年月日,出生日期
        """,
    OTHER_WORD: r"""
        order,ust-id,umsatzsteuer,invoice,rechnung,bestell,auftrag,tracking,sendung,shipment,ticket,reference,version,
        release,chapter,kapitel,section,abschnitt,serial,timestamp,commit,checksum,article,artikel,
        product,population,latitude,longitude,barcode,pedido,factura,commande,facture,quantity,
        amount,transaction,booking,flight,customer (?:id|no|number),kundennummer
        """,
}
WHOLE = {
    SSN_WORD: "ssns?,ss ?#,ssnr,my social,your social,his social,her social,itin,tin",
    NATIONAL_WORD: r"""
        nino,nhs,ni number,ni no,sin,tfn,idnr,steuer-?idnr,svnr,sv-nummer,ahv,avs,nir,insee,dni,
        nie,nif,curp,cpf,cnpj,cuil,cuit,rut,run,bsn,pesel,cpr,hetu,cnp,egn,pan,nric,fin,
        hkid,mykad,nik,ktp,rrn,tckn,tc kimlik,kimlik,id card,ausweis,amka,afm,oib,jmbg,emso,pps,
        ppsn,cnic,snils,s[ée]cu,niss,run,nas,dl no,dl number,mbi,itr,teudat zehut,iqama,cnh,rg
        """,
    PHONE_WORD: "tel,telnr,tlf,fax,cell,call,dial,ring,ph,mob,tél,nummer lautet,rufen,anruf,reach,movil",
    CARD_WORD: "cards?,cc,karte,carte,mc",
    BIRTH_WORD: """
        dob,born,geboren,nacid[oa],nacimiento,naissance,naci[óo],geb,n[ée]e? le,nat[oa] il,nascid[oa],bday,birth
        """,
    OTHER_WORD: r"""
        vat,mwst,imei,imsi,iccid,isbn,issn,ean,gtin,upc,sku,asin,doi,ref,build,rev,rows?,pages?,room,
        batch,lot,epoch,unix,bytes,size,count,total,sum,lat,lon,lng,long,port,pid,uid,gid,
        part no,part number,item no,sha,md5,hash,uuid,guid,offset,seed,ids?(?![ _-]?(?:number|no|nr|card)\b),ver,step,
        figure,fig,
        firmware,oracle,oid,nonce,seq,duration,ns,crc,vin,lines?,matrix,vector,scores?,weights,
        logits,cas,zip,plz
        """,
}
"""Words that stand anywhere in a longer one, and words that stand alone."""
