"""Sentences of thirty languages: none ends with an abbreviation of its language, and each ends with its own signs."""

import pytest

from lvm_core.corpus.sentences import sentences

WHOLE = {
    "en": (
        "He moved to the U.S. Army base at dawn.|J. R. R. Tolkien wrote it.|See Fig. 3 for more.|"
        "He got a Ph.D. from Yale.|The No. 5 bus came.|Mr. and Mrs. Smith left.|Born c. 1900 in Rome.|"
        "It has approx. 300 members.|Cf. Smith et al. 2001 for details.|The Washington, D.C. Metro is old.|"
        "He met St. John and Lt. Col. Brown.|Sgt. Pepper's Lonely Hearts Club Band is an album.|"
        "The company Foo Inc. Ltd. was sold.|On Jan. 5 and Sept. 11 it rained.|Yahoo! was founded in 1994.|"
        'He asked "Why?" and left.|The vs. Smith case went on.|Op. 27 No. 2 is a sonata.|It was 3.5 m high.|'
        "Approx. 5 km N. of Rome it lies.|He (b. 1900) was tall.|"
        "The file is at www.example.com. and it works.|Version 2.0. was out.|I have 5 ft. 3 in. of rope.|"
        "Gen. George S. Patton led.|The U.K. Parliament sat.|He works for the F.B.I. in Ohio.|"
        "Act II, Sc. 2 begins.|Pvt. Ryan fell.|Rev. Martin Luther King Jr. Day is a holiday.|"
        "The Rt. Hon. John Smith spoke.|Ave. Maria was sung.|E. coli and S. aureus are bacteria.|"
        "Vol. 3, pp. 5–7, ed. Smith.|at 10 a.m. Eastern Time they met."
    ),
    "de": (
        "Das ist z. B. Hamburg oder Bremen.|Das ist z.B. Hamburg.|Am 1. Januar 2000 begann es.|"
        "Im 19. Jahrhundert war es so.|Dr. Müller und Prof. Schmidt kamen.|Er lebte ca. 300 v. Chr. in Rom.|"
        "Die Nr. 5 ist da.|Er wohnt in der Hauptstr. 5 in Köln.|Ludwig XIV. König von Frankreich kam.|"
        "Karl I. Stuart war König.|Am 3. Okt. 1990 war es so.|Die sog. Weimarer Republik fiel.|"
        "Er war u. a. Lehrer.|Es kostet 5 Mio. Euro im Jahr.|Die Fa. Siemens baute es.|St. Gallen ist schön.|"
        "Das war i. d. R. Montag.|Am Mo. Abend ging er.|Vgl. Müller 2001.|Die Abb. 3 zeigt es.|"
        "Er kam aus Frankfurt a. M. Hauptbahnhof.|Das liegt bzw. Lag dort.|Die dt. Sprache ist schwer.|"
        "Sie ist geb. Schmidt.|Um 8 Uhr bzw. 20 Uhr kam er.|Das gilt d. h. Immer.|"
        "Hr. Meier und Fr. Schulz kamen.|Band II. Kapitel drei beginnt."
    ),
    "fr": (
        "M. Dupont et Mme Durand vinrent.|Le Dr. Martin est là.|Il vécut vers 300 av. J.-C. à Rome.|"
        "Voir p. 5 et fig. 3.|Le n. 5 est là.|MM. Dupont et Durand vinrent.|Il est né env. 1900.|"
        "Le boul. Saint-Michel est long.|J. Chirac était président.|etc. Paris fut pris.|"
        "La Cie. Générale ouvrit.|S. M. Louis XVI régna.|Éd. Gallimard publia.|vol. 3, chap. 5.|"
        "Mgr. Dupanloup parla.|St. Étienne est une ville.|Il naquit le 3 janv. 1900.|"
        "Le 5 déc. 1900 il mourut."
    ),
    "es": (
        "El Sr. Pérez vino.|La Sra. López y el Dr. Gil.|Vive en la Av. Mayor.|EE. UU. es grande.|"
        "Hacia el 300 a. C. Roma creció.|Ver pág. 5.|El núm. 3 ganó.|S. M. el Rey vino.|Ud. Sabe.|"
        "Uds. Saben.|Fco. Pérez vino.|Sta. María es bella.|Prof. García habló.|El 5 de dic. 1900 llegó.|"
        "Cía. Minera abrió.|p. ej. Madrid.|D. Juan vino.|JJ. OO. de Madrid.|Gral. San Martín luchó.|"
        "Ntra. Sra. de Guadalupe.|aprox. 300 personas."
    ),
    "it": (
        "Il sig. Rossi vive qui.|Il Dott. Bianchi parla.|Nel 300 a.C. Roma crebbe.|La Prof.ssa Verdi.|"
        "Vedi pag. 5.|Il n. 5 vinse.|S. Pietro è bella.|L'on. Moro parlò.|Ecc. Roma cadde.|"
        "L'avv. Neri vinse.|Mons. Galli parlò.|Il gen. Cadorna perse.|Nel sec. XX cambiò.|"
        "Via G. Verdi è lunga.|Ca. 500 persone.|Il 5 dic. 1900 morì.|Es. Roma è grande.|cap. 3 finisce.|"
        "Sig.ra Rossi venne.|d.C. Roma cadde."
    ),
    "pt": (
        "O Sr. Silva veio.|A Dra. Ana falou.|Em 300 a.C. Roma cresceu.|Ver pág. 5.|A Av. Paulista é longa.|"
        "D. Pedro I reinou.|S. Paulo é grande.|O n. 3 venceu.|Prof. João falou.|Em 5 de dez. 1900 chegou.|"
        "Ex. Roma caiu.|Sto. António é popular.|O Eng. Costa fez.|V. Exa. Sabe.|Cia. Vale abriu.|"
        "Gal. Osório lutou.|aprox. 300 pessoas."
    ),
    "ru": (
        "Он жил на ул. Ленина в Москве.|В 1900 г. Москва росла.|В XIX в. Россия росла.|А. С. Пушкин писал.|"
        "Население 5 тыс. Человек.|Было 5 млн. Рублей.|Это т. н. Красная площадь.|См. рис. 5.|"
        "В 5 км. от города.|Это 5 руб. Серебром.|им. Ленина завод.|Родился 5 янв. 1900 года.|"
        "на 1 янв. 2000 г. было так.|в 300 г. до н. э. Рим рос.|г. Москва велика.|о. Сахалин велик.|"
        "оз. Байкал глубоко.|р. Волга длинная.|проф. Иванов пришёл.|и т. д. Иванов ушёл домой.|"
        "ок. 300 человек.|гр. Петров пришёл.|стр. 5 и табл. 3.|с. Ивановка мало.|д. Петровка мала.|"
        "пос. Ленинский велик.|ген.-майор Петров.|ст. Лейтенант пришёл."
    ),
    "pl": (
        "W 1900 r. Warszawa rosła.|W XIX w. Polska upadła.|Na ul. Długiej.|Dr. Nowak przyszedł.|"
        "Ks. Popiełuszko mówił.|m.in. Warszawa.|np. Kraków.|tzw. Okrągły Stół.|im. Piłsudskiego szkoła.|"
        "Św. Jan był.|Zob. rys. 5.|ok. 300 osób.|5 tys. Polaków.|gen. Anders walczył.|J. Piłsudski był.|"
        "300 p.n.e. Rzym.|prof. Kowalski.|5 mln. Złotych.|nr. 5 wygrał.|woj. Mazowieckie.|ur. 5 maja.|"
        "zm. 5 maja.|tj. Warszawa.|godz. 5 rano.|str. 5.|poz. 3.|art. 5 ust. 3."
    ),
    "nl": (
        "Dhr. Jansen kwam.|Dr. de Vries kwam.|Bijv. Amsterdam is groot.|o.a. Rotterdam.|ca. 300 v.Chr. Rome.|"
        "St. Nicolaas komt.|Nr. 5 won.|J. de Vries kwam.|Prof. Jansen sprak.|Mevr. Bakker kwam.|"
        "d.w.z. Amsterdam.|z.o.z. Ja.|blz. 5.|jl. Maandag.|a.s. Maandag komt hij.|resp. Jan.|enz. Jan kwam.|"
        "Mr. Jansen sprak.|op 5 jan. 1900 kwam."
    ),
    "sv": (
        "T.ex. Stockholm är stort.|bl.a. Göteborg.|Dr. Svensson kom.|ca. 300 f.Kr. Rom.|S:t Erik.|"
        "nr. 5 vann.|s.k. Svensson.|d.v.s. Stockholm.|m.fl. Svensson.|kl. 5 kom han.|prof. Ek talade.|"
        "J. Svensson kom.|den 5 jan. 1900 kom.|fr.o.m. Måndag.|t.o.m. Kungen kom.|sid. 5."
    ),
    "cs": (
        "Např. Praha je velká.|Dr. Novák přišel.|tzv. Pražské jaro.|J. Novák přišel.|sv. Václav byl.|"
        "ul. Dlouhá.|r. 1900 byl.|č. 5 vyhrálo.|str. 5.|Ing. Novák.|MUDr. Novák přišel.|mj. Praha.|"
        "tj. Praha.|cca. 300 lidí.|gen. Svoboda bojoval.|hl. město.|nám. Míru je hezké.|tř. Míru.|"
        "5 tis. Čechů.|5 mil. Korun.|odst. 5.|obr. 3.|Karel IV. Lucemburský vládl.|kap. 3."
    ),
    "tr": (
        "Dr. Ahmet geldi.|M.Ö. 500 yılında.|M.S. 500 yılında.|Prof. Ahmet geldi.|vb. Ankara.|"
        "T.C. Devleti büyük.|Av. Ahmet geldi.|Sn. Ahmet geldi.|Alb. Ahmet geldi.|Cad. Atatürk.|"
        "No. 5 kazandı.|bkz. Ankara.|19. Yüzyıl önemli.|II. Abdülhamid tahttaydı.|Hz. Muhammed doğdu.|"
        "örn. Ankara.|yy. Roma.|Doç. Dr. Ali."
    ),
    "fi": (
        "Esim. Helsinki on suuri.|Dr. Virtanen tuli.|n. 300 henkeä.|5. toukokuuta tuli.|mm. Helsinki.|"
        "ns. Talvisota.|eKr. Rooma kasvoi.|nro. 5 voitti.|prof. Virtanen.|J. Virtanen tuli.|ts. Helsinki.|"
        "ym. Helsinki.|ent. Neuvostoliitto.|s. 5.|K. V. Virtanen.|Kustaa II. Aadolf."
    ),
    "hu": (
        "Pl. Budapest nagy.|dr. Kovács jött.|Kr. e. 500-ban.|kb. 300 fő.|ún. Budapest.|id. Kovács jött.|"
        "ifj. Kovács jött.|Sz. Kovács.|IV. Béla uralkodott.|ill. Budapest.|stb. Budapest.|u. 5. szám.|"
        "Prof. Kovács jött.|XX. Század.|szt. István.|vö. Kovács.|ti. Budapest.|5. oldal.|nr. 5."
    ),
    "uk": (
        "вул. Хрещатик довга.|У 1900 р. Київ ріс.|У XIX ст. Київ ріс.|Т. Г. Шевченко писав.|м. Київ велике.|"
        "с. Іванівка мале.|5 тис. Осіб.|5 млн. Гривень.|ім. Шевченка.|до н. е. Рим.|див. рис. 5.|"
        "проф. Іваненко.|о. Зміїний.|р. Дніпро.|т. зв. Січ.|напр. Київ.|бл. 300 осіб.|і т. д. Київ.|"
        "та ін. Київ.|5 січ. 1900 року.|на 1 січ. 2000 було."
    ),
    "vi": (
        "TP. Hồ Chí Minh lớn.|GS. Nguyễn Văn A nói.|TS. Trần B nói.|PGS. Lê C nói.|v.v. Hà Nội.|BS. Nam đến.|"
        "Tp. Đà Nẵng đẹp.|ThS. Hoa nói.|Th.S. Hoa nói.|Q. Ba đông.|P. Bến Nghé."
    ),
    "id": (
        "Dr. Budi datang.|pada tgl. 5 Mei.|Jl. Sudirman panjang.|H. Agus datang.|No. 5 menang.|Prof. Budi.|"
        "Ir. Sukarno presiden.|hlm. 5.|Bpk. Budi datang.|PT. Astra besar.|Kab. Bogor luas.|Kec. Cibinong.|"
        "St. Yohanes.|R.A. Kartini lahir."
    ),
    "el": (
        "Ο κ. Παπάς ήρθε.|Ο Δρ. Παπάς ήρθε.|π.χ. Αθήνα.|το 500 π.Χ. Αθήνα.|Αγ. Ιωάννης.|κ.ά. Αθήνα.|"
        "δηλ. Αθήνα.|βλ. Παπάς.|σελ. 5.|Γ. Παπάς ήρθε.|περ. 300 άτομα.|Η κα. Παπά ήρθε.|κ.λπ. Αθήνα.|"
        "οδ. Ερμού.|αρ. 5."
    ),
    "ro": (
        "Dr. Popescu a venit.|Str. Lungă e lungă.|nr. 5 a câștigat.|d.Hr. Roma.|î.Hr. Roma.|Sf. Ion a fost.|"
        "prof. Popescu.|de ex. București.|I. L. Caragiale a scris.|dl. Popescu a venit.|dna. Ionescu.|"
        "ș.a. București.|jud. Cluj e mare.|mun. Cluj e mare.|col. Popescu.|cca. 300 oameni.|pag. 5.|"
        "gen. Popescu.|ex. București."
    ),
    "da": (
        "F.eks. København er stor.|Dr. Hansen kom.|bl.a. Aarhus.|ca. 300 f.Kr. Rom.|nr. 5 vandt.|5. maj kom.|"
        "Skt. Hans er fest.|dvs. København.|H. C. Andersen skrev.|hr. Hansen kom.|fr. Jensen kom.|"
        "kl. 5 kom han.|osv. Han gik.|s. 5.|jf. Hansen.|mht. København.|Christian IV. Konge.|red. Hansen."
    ),
    "no": (
        "F.eks. Oslo er stor.|Dr. Hansen kom.|bl.a. Bergen.|ca. 300 f.Kr. Roma.|nr. 5 vant.|5. mai kom.|"
        "St. Olav var konge.|dvs. Oslo.|hr. Hansen.|kl. 5 kom han.|jf. Hansen.|red. Hansen."
    ),
    "ca": (
        "El Sr. Puig va venir.|La Sra. Roca.|Dr. Puig.|Av. Diagonal.|a.C. Roma.|p. ex. Barcelona.|St. Jordi.|"
        "núm. 5.|pàg. 5.|S. M. el rei.|etc. Barcelona.|Sta. Coloma.|aprox. 300."
    ),
    "bg": (
        "ул. Витоша е дълга.|г. София.|през 1900 г. София растеше.|пр. н. е. Рим.|проф. Иванов.|д-р. Иванов.|"
        "напр. София.|св. Иван.|т.нар. София.|гр. София е голям.|с. Иваново.|вж. Иванов.|ген. Иванов.|"
        "и др. Иванов."
    ),
    "sr": (
        "ул. Цара Душана.|Проф. Јовановић.|нпр. Београд.|тзв. Београд.|св. Сава.|др. Јовановић дође.|"
        "г. Јовановић.|пр. н. е. Рим.|бр. 5.|стр. 5.|Краљ Петар I. Карађорђевић."
    ),
    "he": "ד\"ר כהן גר כאן.|פרופ' לוי דיבר.|רח' הרצל ארוך.|עמ' 5.|מס. 5 ניצח.",
    "fa": "د. احمد آمد.|پ.ن. نکته.|ص. ۵ را ببین.|ج. ۲ بود.",
    "hi": "डॉ. शर्मा आए।|श्री. राम आए।|प्रो. वर्मा बोले।|ई. पू. 500 में।|पृ. 5 देखें।|सं. 5 जीता।",
    "ko": "김 씨 (B. 1900) 왔다.|약 3.5 km 이다.|J. 스미스가 왔다.",
    "ja": "彼は「そう。」と言った。|J. スミスが来た。|3.5 kmである。|「行く!」と叫んだ。",
    "zh": "他说：“好。”|J. 史密斯来了。|长3.5 km。|《你好！》是一本书。",
}
PAIRS = {
    "en": (
        "He lives in the U.S. She lives in Rome.|It rained. He left.|It ended in 1990. 20 people came.|"
        'He said "Go." She went.|He got an A. Then he left.|They use etc. She left.'
    ),
    "de": "Er kam 1990. Dann ging er.|Es war der 5. Mai. Dann ging er.|Das ist gut! Ja.|„Geh.“ Sie ging.",
    "ru": "Он пришёл. Она ушла.|Это было в 1900 году. Потом он ушёл.|Да! Нет.",
    "hi": "यह दूर है। hello सुंदर है।",
    "zh": "真的吗?是的!|真的吗？是的！",
    "ja": "本当?はい。",
    "fr": "Il vint. Elle partit.|« Va. » Elle partit.|Il est né en 1900. Il mourut.|Quoi ? Rien.",
    "es": "¿Vienes? No.|¡Sí! Vino.|Nació en 1900. Murió.",
    "ar": "هل جاء؟ نعم.|جاء. ذهب.",
    "ko": "왔다. 갔다.",
    "el": "Ήρθε; Ναι.|Ήρθε. Έφυγε.",
    "hy": "Եկավ։ Գնաց։",
}


def cut(text: str, language: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text, 0, len(text), language)]


@pytest.mark.parametrize("language", WHOLE)
def test_an_abbreviation_ends_no_sentence(language: str) -> None:
    for text in WHOLE[language].split("|"):
        assert cut(text, language) == [text]


@pytest.mark.parametrize("language", PAIRS)
def test_two_sentences_are_two(language: str) -> None:
    for text in PAIRS[language].split("|"):
        assert len(cut(text, language)) == 2, text
