"""Names of columns with personal data, in many languages.

Phrases are lower case, without accents, with ``ss`` for ``ß``. A phrase matches the last words of a column's name, so
``billing_address2`` is an address. To add a language, add its phrases to the rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from codevf_nb.privacy._name_words import words_in, words_of

PHRASES: dict[str, str] = {
    "e-mail addresses": (
        "email, emails, e mail, e mails, mail, email address, email addresses, e mail address, mail address, "
        "emailadresse, e mail adresse, mailadresse, adresse mail, adresse email, courriel, correo, correo "
        "electronico, posta elettronica, 邮箱, 电子邮件, 電子郵件, メール, メールアドレス, 이메일, почта"
    ),
    "phone numbers": (
        "phone, phones, phone number, phone no, phone num, phone nr, telephone, telephone number, tel, tel no, "
        "tel nr, telnr, mobile, mobiles, mobile number, mobile no, mobile phone, mob, cell, cellphone, cell "
        "phone, cell number, cell no, contact no, contact number, fax, fax number, fax no, whatsapp, whatsapp "
        "number, msisdn, gsm, telefon, telefonnummer, telefonnr, rufnummer, handy, handynummer, handynr, mobil, "
        "mobilnummer, mobiltelefon, faxnummer, portable, telephone portable, numero de telephone, telefono, "
        "movil, celular, cellulare, numero di telefono, telefone, telemovel, telefoon, telefoonnummer, komorka, "
        "电话, 电话号码, 手机, 手机号, 手机号码, 電話, 電話番号, 携帯, 携帯電話, 전화, 전화번호, 휴대폰, телефон"
    ),
    "names of people": (
        "first name, firstname, first names, first nm, last name, lastname, last nm, full name, fullname, middle "
        "name, given name, givenname, family name, familyname, maiden name, surname, sur name, forename, fname, "
        "lname, customer name, client name, patient name, employee name, person name, contact name, student name, "
        "author name, holder name, recipient name, passenger name, buyer name, display name, contact person, "
        "cardholder, cardholder name, card holder, vorname, nachname, familienname, rufname, geburtsname, "
        "kundenname, ansprechpartner, prenom, prenoms, nom de famille, apellido, apellidos, cognome, sobrenome, "
        "voornaam, achternaam, imie, nazwisko, 名字, 姓名, 姓, 名前, 氏名, 이름, 성명, имя, фамилия, фио"
    ),
    "names of people, perhaps": (
        "name, names, first, customer, client, employee, patient, doctor, physician, author, person, passenger, "
        "student, teacher, contact, buyer, owner, driver, member, guest, tenant, kunde, mitarbeiter, arzt, autor, "
        "nom, nombre, nombres, nome, autore, auteur, naam, namn, navn"
    ),
    "names of users": (
        "username, user name, nickname, nick name, nick, screen name, login name, user login, user handle, "
        "benutzername, nutzername, nom d utilisateur, pseudo, nombre de usuario, nome utente, usuario, "
        "用户名, ユーザー名"
    ),
    "postal addresses": (
        "address, addresses, addr, address line, street address, streetaddress, home address, home addr, postal "
        "address, mailing address, billing address, shipping address, delivery address, customer address, full "
        "address, street, street name, strasse, strasse nr, strassenname, strasse hausnummer, wohnadresse, "
        "anschrift, adresse, adresse postale, rue, domicilio, calle, direccion, indirizzo, endereco, rua, morada, "
        "adres, straat, ulica, 地址, 住址, 住所, 주소, адрес"
    ),
    "house numbers": "hausnummer, hausnr, house number, house no, street number, numero civico, huisnummer",
    "postcodes": (
        "zip, zip code, zipcode, postcode, post code, postal code, postalcode, plz, postleitzahl, code postal, "
        "codigo postal, cep, 邮编, 邮政编码, 郵便番号, 우편번호, индекс"
    ),
    "birthdays": (
        "dob, birth, birth date, birthdate, birth dates, birthday, birthdays, birth day, birth year, birthyear, "
        "year of birth, date of birth, dateofbirth, born, born on, geburtsdatum, geburtstag, geburtsjahr, geb "
        "datum, geb dat, gebdat, date naissance, date de naissance, naissance, data nascita, data di nascita, "
        "fecha nacimiento, fecha de nacimiento, nacimiento, data nascimento, data de nascimento, geboortedatum, "
        "data urodzenia, 出生日期, 生日, 出生年月, 生年月日, 생년월일, дата рождения"
    ),
    "national ids": (
        "ssn, ssn number, social security, social security number, social security no, itin, national id, "
        "national id number, national number, id number, id card, identity number, tax id, tax number, tin, "
        "steuer id, steuernummer, steuer nr, steueridentifikationsnummer, sv nummer, svnr, "
        "sozialversicherungsnummer, ausweisnummer, ausweis nr, personalausweis, personalausweisnummer, reisepass, "
        "reisepassnummer, passport, passport number, passport no, passport id, nhs number, nhs no, nino, ni "
        "number, national insurance number, dni, nie, nif, codice fiscale, codicefiscale, cf, cpf, rg, curp, rfc, "
        "pesel, aadhaar, aadhar, aadhaar number, pan, pan number, bsn, personnummer, personnr, cpr, hetu, rrn, "
        "sin, tfn, ahv, ahv nummer, nir, numero de securite sociale, cedula, drivers license, driver license, "
        "driving license, driving licence, drivers licence, driver license number, driver licence, drivers "
        "license number, fuehrerschein, fuhrerschein, fuehrerscheinnummer, medicare number, 身份证, 身份证号, "
        "身份证号码, 护照, "
        "护照号, 주민등록번호, マイナンバー, паспорт, инн, снилс"
    ),
    "card numbers": (
        "card number, card no, card num, card nr, credit card, credit card number, creditcard, debit card, cc, cc "
        "number, cc no, cc num, ccnum, pan, kreditkarte, kreditkartennummer, kartennummer, tarjeta, numero de "
        "tarjeta, tarjeta de credito, carte bancaire, carte de credit, carta di credito, cartao, 信用卡, 银行卡号, 卡号"
    ),
    "bank accounts": (
        "bank account, bank account number, bank account no, account number, acct number, iban, iban nr, iban "
        "number, kontonummer, konto nr, bankkonto, bankverbindung, numero de cuenta, cuenta bancaria, numero de "
        "compte, rib, numero conto, conto corrente, rekeningnummer, conta bancaria, 银行账号, 银行账户, 口座番号, "
        "계좌번호"
    ),
    "addresses of devices": (
        "ip, ips, ip address, ip addr, ipaddress, client ip, remote ip, remote addr, source ip, src ip, user ip, "
        "visitor ip, ipv4, ipv6, ip adresse, adresse ip, direccion ip, mac, mac address, mac addr, macaddress, "
        "device mac, wifi mac, bssid"
    ),
    "ids of devices": (
        "device id, deviceid, device identifier, idfa, idfv, gaid, aaid, adid, advertising id, advertiser id, "
        "android id, udid, imei, imsi, device uuid, 设备号"
    ),
    "vehicles of people": (
        "vin, vin number, vehicle identification number, fahrgestellnummer, fahrgestellnr, fin, license plate, "
        "licence plate, license plate number, plate, plate number, number plate, registration plate, kennzeichen, "
        "kfz kennzeichen, nummernschild, matricula, targa, immatriculation, plaque, kenteken, 车牌, 车牌号"
    ),
    "places of people": (
        "lat, latitude, lon, lng, long, longitude, location, geo, geolocation, geo location, gps, gps "
        "coordinates, coordinates, coords, latlon, lat lon, lat long, latlng, breitengrad, laengengrad, "
        "langengrad, standort, koordinaten, ubicacion, coordenadas, 纬度, 经度, 坐标, 位置"
    ),
}
_KINDS = {phrase: [] for row in PHRASES.values() for phrase in row.split(", ")}  # type: dict[str, list[str]]
for _kind, _row in PHRASES.items():
    for _phrase in _row.split(", "):
        _KINDS[_phrase].append(_kind)
_LONGEST = max(phrase.count(" ") for phrase in _KINDS) + 1
# If one of these words precedes a phrase, the column describes a thing, not a person.
_THINGS = words_in(
    """
    column col file product item brand company event city country team host domain class table variable species
    model package repo repository module function app application field tag group category project program drug
    gene protein chemical disease station airport airline store shop hotel restaurant school university college
    movie film song album book game device server process service bank state region province county district
    road memory contract wallet token web site page url market stock fund plant animal dog cat horse ship vessel
    """
)
# With one of these columns, coordinates and postcodes belong to things, unless the table also describes people.
_HAVE_A_PLACE = words_in(
    """
    city town country county state region province district borough neighborhood neighbourhood continent capital
    population elevation altitude depth magnitude station airport iata icao stop store shop branch hotel restaurant
    school university museum site park river lake mountain volcano earthquake building venue port species wind
    temperature stadt land bundesland gemeinde kreis bahnhof flughafen haltestelle filiale ville pays commune ciudad
    pais provincia 城市 国家 省
    """
)
_PEOPLE = words_in(
    """
    user customer client patient person people member employee driver passenger rider student subscriber guest
    tenant resident citizen voter household owner device visitor session account contact kunde kundin patientin
    mitarbeiter nutzer person cliente usuario paciente usager 用户 客户
    """
)
_AFTER = re.compile(
    r"(?: (?:\d+|nr|no|number|text|value|raw|clean|hash|primary|secondary|home|work|private|privat|one|two))+$"
)


def kinds_of(column: str) -> list[str]:
    """Return the possible kinds of a column, the likeliest first: by the longest phrases that end its name."""
    words = _plain(column).split(" ")
    for candidate in (words, _AFTER.sub("", " ".join(words)).split(" ")):
        for length in range(min(_LONGEST, len(candidate)), 0, -1):
            kinds = _KINDS.get(" ".join(candidate[-length:]))
            before = candidate[-length - 1] if len(candidate) > length else ""
            if kinds and len(candidate) - length <= 3:
                return [kind for kind in kinds if not ("name" in kind and before in _THINGS)]
    return []


def is_about_places(columns: Iterable[str]) -> bool:
    """Whether a table lists things with a location (airports, shops), and no column shows that it lists people."""
    words = {word for column in columns for word in words_of(column)}
    return bool(words & _HAVE_A_PLACE) and not words & _PEOPLE


def is_place(column: str) -> bool:
    """Whether a column may hold coordinates or postcodes, by its name."""
    return not {"places of people", "postcodes"}.isdisjoint(kinds_of(column))


def _plain(column: str) -> str:
    """Return the words of a name without accents: ``Straße_Nr`` gives "strasse nr"."""
    text = unicodedata.normalize("NFKD", " ".join(words_of(column)).replace("ß", "ss"))
    return "".join(char for char in text if not unicodedata.combining(char))
