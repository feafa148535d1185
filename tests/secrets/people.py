"""Columns about people, by name and by the form of their values, and columns that only look like that.

``d`` in a form is a digit, ``A`` a capital, ``x`` a hexadecimal digit. What has a checksum is made with the right one.
"""

import random
import re

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

PEOPLE = (
    "Anna Meier",
    "Ben Kurz",
    "Cem Aydin",
    "Eva Schmidt",
    "John Smith",
    "Maria Garcia",
    "Paul Dubois",
    "Lucia Rossi",
)
SURNAMES = ("Meier", "Kurz", "Aydin", "Schmidt", "Smith", "Garcia", "Dubois", "Rossi")
STREETS = ("Hauptstr. 12", "12 Main Street", "Rue de la Paix 3", "Calle Mayor 7", "Lindenweg 4a", "221B Baker St")
BORN = ("1980-01-02", "1991-12-31", "2001-05-06", "1975-07-08")


def form(text: str, rng: random.Random) -> str:
    """Fill a form."""
    chars = {"d": "0123456789", "A": "ABCDEFGHJKLMNPRSTUVWXYZ", "x": "0123456789abcdef"}
    return re.sub(r"\{([dAx])\}", lambda found: rng.choice(chars[found[1]]), text.replace("~", "{d}"))


def card(prefix: str, length: int, rng: random.Random) -> str:
    """A number of a card, right by Luhn."""
    digits = prefix + "".join(rng.choices("0123456789", k=length - 1 - len(prefix)))
    return digits + luhn.calc_check_digit(digits)


def iban(country: str, length: int, rng: random.Random) -> str:
    """An IBAN with the right remainder."""
    account = "".join(rng.choices("0123456789", k=length - 4))
    return country + mod_97_10.calc_check_digits(account + country) + account


# What a column is called, by kind, with values that fit.
NAMED: dict[str, tuple[str, tuple[str, ...]]] = {
    "names of people": (
        (
            "name, Name, first, fname, forename, first_nm, nickname, passenger_name, contact_person, "
            "buyer_name, display_name, "
            "user_name, username, cardholder, customer, employee, patient, doctor, author, person, "
            "Kundenname, Familienname, "
            "Rufname, prénom, prenom, nombre, nome, cognome, full_name, Full Name, firstname, lastname, "
            "surname, customer_name, "
            "client_name, Patient Name, vorname, Nachname"
        ),
        PEOPLE,
    ),
    "postal addresses": (
        (
            "addr, home_addr, streetaddress, Strasse_Nr, wohnadresse, rue, domicilio, calle, indirizzo, "
            "endereco, address, "
            "address1, address_line_1, street_address, full_address, street, Straße, strasse, adresse, anschrift"
        ),
        STREETS,
    ),
    "postal addresses ": ("zip, postcode, zip_code, plz, codigo_postal", ("10115", "80331", "04109", "22085")),
    "postal addresses  ": ("hausnummer", ("12", "7a", "3", "110")),
    "birthdays": (
        (
            "birth, Geb.Datum, geb_dat, date_naissance, data_nascita, 出生日期, 生日, dob, DOB, birthday, "
            "birth_date, birthdate, "
            "date_of_birth, DateOfBirth, geburtsdatum, fecha_nacimiento"
        ),
        BORN,
    ),
    "birthdays ": ("birth_year, geburtsjahr", ("1980", "1991", "2001", "1975")),
    "phone numbers": (
        (
            "cell, cellphone, mobile_number, contact_no, handynummer, telefonnummer, tel_nr, mobil, "
            "téléphone, portable, "
            "teléfono, telefono, 电话, 手机, phone, Phone Number, phone_no, telephone, Telefon"
        ),
        ("2125550123", "3105550147", "4155550199", "6465550111"),
    ),
    "national ids": (
        (
            "Steuernummer, SV-Nummer, reisepass, Ausweisnummer, nie, id_number, tin, nhs_number, aadhaar, "
            "ssn, national_id, "
            "social_security_number, tax_id, steuer_id, dni, cpf, pesel, passport, passport_number, "
            "driver_license, 身份证, 身份证号"
        ),
        ("C01X00T47", "536221234", "12 345 678 901", "X1234567L"),
    ),
    "bank accounts": ("IBAN_Nr, bank_account, kontonummer, iban", ("532013000", "112233445", "998877665", "123456789")),
    "ids of devices": (
        "device_id, idfa, gaid, advertising_id",
        ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "6fa459ea-ee8a-3ca4-894e-db77e160355e"),
    ),
    "addresses of devices": ("ip, client_ip, ip_address, remote_addr", ("84.17.33.5", "2a02:908:1:2::5", "91.12.7.8")),
    "addresses of devices ": ("mac, mac_address", ("00:1b:63:84:45:e6", "3c:22:fb:9a:10:02")),
    "vehicles of people": ("vin, license_plate, kennzeichen", ("M-AB 1234", "1HGCM82633A004352", "B-XY 77")),
    "places of people": ("lat, lon, latitude, longitude", ("48.137154", "52.520008", "40.712776")),
    "places of people ": ("location, geo", ("48.137154, 11.576124", "POINT (11.576124 48.137154)")),
}

# Forms of values that are found in any column.
ANYWHERE: dict[str, tuple[str, ...]] = {
    "e-mail addresses": (
        "a~~~@corp.de",
        "A~~~@CORP.DE",
        "mailto:a~~~@corp.de",
        "Anna <a~~~@corp.de>",
        "a~~~@bücher.de",
        "anna~~~%40corp.de",
    ),
    "phone numbers": (
        "212-555-0~~~",
        "(212) 555-0~~~",
        "212.555.0~~~",
        "+1 212 555 0~~~",
        "212-555-0~~~ x123",
        "+49 30 90~~~~~~",
        "tel:+49 30 90~~~~~~",
        "030/90~~~~~",
        "0171-2~~~~~~",
        "0171 2~~ ~~~",
        "07400 ~~~~~~",
        "+44 (0)20 7~~~ ~~~~",
        "(11) 98~~~-~~~~",
        "06 12 ~~ ~~ ~~",
        "06.12.~~.~~.~~",
        "03-32~~-~~~~",
        "138 ~~~~ ~~~~",
    ),
    "social security numbers": ("2~~-4~-5~~~",),
}
# Forms of values that are found where the column is called so.
IN_NAMED: dict[str, tuple[str, ...]] = {
    "phone": (
        "01712~~~~~~",
        "6~~ ~~~ ~~~",
        "13~~~~~~~~~",
        "98~~~ ~~~~~",
        "212555~~~~",
        "491712~~~~~~",
        "06 12 34 ~~ ~~",
    ),
    "national_id": (
        "536~~~~~~",
        "9~~-7~-~~~~",
        "AB~~~~~~C",
        "~~~~~~~~~~~",
        "~~~~~~~~{A}",
        "X~~~~~~~{A}",
        "RSSMRA~~A~~H~~~Z",
        "~~~~~~~~~~~~~~~~~X",
        "~~~.~~~.~~~-~~",
        "~~~~ ~~~~ ~~~~",
        "ABCPE~~~~F",
        "850101-1~~~~~~",
        "010185-~~~A",
        "~~~~ 010185",
        "756.~~~~.~~~~.~~",
        "C01X~~~~~",
        "~~~~~~~~~",
        "~~~ ~~~ ~~~",
        "~~~-~~~-~~~",
        "D~~~~~~~",
    ),
    "birthday": (
        "1980-01-0~",
        "0~.01.1980",
        "1/~/1980",
        "1980-01-02T00:00:0~Z",
        "1~ Jan 1980",
        "1980010~",
        "1980年1月~日",
        "31560~~~~",
        "198~",
    ),
    "email": ("anna~~ at corp.de", "anna%40corp.de"),
    "license_plate": ("M-AB ~~~~", "B-XY ~~"),
}

# Columns that only look as if they were about people.
HARMLESS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Street", ("Pave", "Grvl")),
    ("NAME", ("Highland County, Virginia", "Carroll County, Virginia", "Salem City, Virginia")),
    ("LONG", ("180.5674", "951.4932", "2746.5212")),
    ("from_address", ("0x" + "52908400098527886e0f7030069857d2e4169ee7",)),
    ("contract_address", ("0x" + "52908400098527886e0f7030069857d2e4169ee7",)),
    ("ip_address", ("2001:db8::10a3", "192.168.1.7")),
    ("memory_address", ("0x7ffd6f7f729d",)),
    ("We won't publish your name or e-mail address", ("yes please do", "no")),
    ("full_name", ("pandas-dev/pandas", "numpy/numpy")),
    ("file_full_name", ("/a/b.txt",)),
    ("product_full_name", ("Widget 2",)),
    ("column_last_name", ("abc",)),
    ("name", ("Ford Torino", "Chevrolet Malibu", "Datsun 510")),
    ("name", ("Germany", "France", "Italy")),
    ("upc", ("005691841326", "005691841327")),
    ("account", ("00253857989", "00253857990")),
    ("order_no", ("158-684-2939", "212-555-0147")),
    ("date", ("0001-01-01",)),
    ("delta", ("+1234567.89",)),
    ("range", ("(100) 200-300",)),
    ("bracket", ("(12345) 678901",)),
    ("phone", ("SM-G991B 128000", "iPhone 12")),
    ("tel", ("711672.1389870516",)),
    ("mobile", ("493327", "6112096")),
    ("Invoice ID", ("430-87-8055", "631-41-3108")),
    ("img", ("icon@2x.png", "logo@3x.png")),
    ("npm", ("left-pad@1.3.0.tgz",)),
    ("git", ("1234+anna@users.noreply.github.com",)),
    ("arn", ("user@ec2-1-2-3-4.compute.amazonaws.com",)),
    ("decor", ("x@y.T", "a@b.shape")),
    ("handy", ("ja", "nein")),
    ("fax", ("0", "1")),
    ("mobile", ("True", "False")),
    ("isbn", ("978-0-306-40615-7", "0-306-40615-2", "0306406152")),
    ("c1", ("01234-5678", "0900-1730")),
    ("c1", ("+0012.5", "+48.137154-011.576124/")),
    ("c1", ("12 345 678", "(1000, 2000]")),
    ("c1", ("117-7011483-5964589",)),
    ("mac_address", ("2a:d6:05:e3:0f:47",)),
    ("c1", ("@anna", "git@github.com:a/b.git", "numpy@1.2.3", "noreply@github.com", "anna@example.com")),
    ("x", ("48.137154", "11.576124")),
    ("price", ("1234.50", "99.95", "0.5")),
    ("part", ("030-1234567", "0171-2345678")),
    ("plate", ("6042324088", "6042324089")),
    ("pass", ("12", "7", "31")),
    ("password_changed", ("2024-01-01",)),
    ("token", ("the", "cat")),
    ("session_id", ("3f2504e0-4f89-41d3-9a0c-0305e82c3301",)),
    ("key", ("customer_id", "order_id")),
    ("cookie", ("chocolate", "oatmeal")),
)
SECRET_COLUMNS: tuple[tuple[str, str], ...] = (
    ("api_key", "{H}"),
    ("access_token", "{H}"),
    ("pass", "{P}"),
    ("userPassword", "{P}"),
    ("password_1", "{P}"),
    ("password_plain", "{P}"),
    ("passwords", "{P}"),
    ("API Key", "{V}"),
    ("Secret access key", "{K}"),
    ("cookie", "{V}"),
    ("session_id", "{V}"),
    ("key", "{V}"),
    ("password", "{P}"),
    ("Passwort", "{P}"),
    ("user_password", "{P}"),
    ("apiKey", "{V}"),
    ("secret", "{V}"),
    ("contraseña", "{P}"),
    ("密码", "{P}"),
)
