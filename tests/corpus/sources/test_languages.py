"""Wikis of thirty languages: pictures, categories and lists of other texts go by the names that each gives them."""

import pytest

from lvm_core.corpus.sources.wikitext import sections
from lvm_core.corpus.sources.wikitext.site import Site

PROSE = "Abc def ghi jkl mno pqr stu vwx yza bcd efg hij klm nop qrs tuv wxy zab cde fgh ijk lmn opq rst uvw."
WIKIS = {
    "ar": ("[[ملف:A.jpg|تصغير|F]] [[تصنيف:X]]", "مراجع|وصلات خارجية|انظر أيضًا|هوامش"),
    "bn": ("[[চিত্র:A.jpg|থাম্ব|F]] [[বিষয়শ্রেণী:X]]", "তথ্যসূত্র|বহিঃসংযোগ|আরও দেখুন"),
    "cs": ("[[Soubor:A.jpg|náhled|F]] [[Kategorie:X]]", "Reference|Externí odkazy|Související články"),
    "de": ("[[Datei:A.jpg|mini|F]] [[Kategorie:X]]", "Einzelnachweise|Weblinks|Siehe auch|Literatur"),
    "el": ("[[Αρχείο:A.jpg|μικρογραφία|F]] [[Κατηγορία:X]]", "Παραπομπές|Εξωτερικοί σύνδεσμοι|Δείτε επίσης"),
    "es": ("[[Archivo:A.jpg|thumb|F]] [[Categoría:X]]", "Referencias|Enlaces externos|Véase también"),
    "fa": ("[[پرونده:A.jpg|بندانگشتی|F]] [[رده:X]]", "منابع|پیوند به بیرون|جستارهای وابسته|پانویس"),
    "fi": ("[[Tiedosto:A.jpg|pienoiskuva|F]] [[Luokka:X]]", "Lähteet|Aiheesta muualla|Katso myös"),
    "fr": ("[[Fichier:A.jpg|vignette|F]] [[Catégorie:X]]", "Notes et références|Liens externes|Voir aussi|Annexes"),
    "he": ("[[קובץ:A.jpg|ממוזער|F]] [[קטגוריה:X]]", "הערות שוליים|קישורים חיצוניים|ראו גם"),
    "hi": ("[[चित्र:A.jpg|अंगूठाकार|F]] [[श्रेणी:X]]", "सन्दर्भ|बाहरी कड़ियाँ|इन्हें भी देखें"),
    "hu": ("[[Fájl:A.jpg|bélyegkép|F]] [[Kategória:X]]", "Jegyzetek|További információk|Lásd még"),
    "it": ("[[File:A.jpg|miniatura|F]] [[Categoria:X]]", "Note|Collegamenti esterni|Voci correlate"),
    "ja": ("[[ファイル:A.jpg|thumb|F]] [[画像:A.jpg|thumb|F]]", "脚注|外部リンク|関連項目|参考文献|出典"),
    "ko": ("[[파일:A.jpg|섬네일|F]] [[분류:X]]", "각주|외부 링크|같이 보기|참고 문헌"),
    "nl": ("[[Bestand:A.jpg|miniatuur|F]] [[Categorie:X]]", "Referenties|Externe links|Zie ook|Bronvermelding"),
    "pl": ("[[Plik:A.jpg|mały|F]] [[Kategoria:X]]", "Przypisy|Linki zewnętrzne|Zobacz też|Uwagi"),
    "pt": ("[[Ficheiro:A.jpg|thumb|F]] [[Categoria:X]]", "Referências|Ligações externas|Ver também"),
    "ru": ("[[Файл:A.jpg|мини|F]] [[Категория:X]]", "Примечания|Ссылки|См. также|Литература"),
    "sr": ("[[Датотека:A.jpg|мини|F]] [[Категорија:X]]", "Референце|Спољашње везе|Види још"),
    "sv": ("[[Fil:A.jpg|miniatyr|F]] [[Kategori:X]]", "Se även|Källor|Externa länkar"),
    "th": ("[[ไฟล์:A.jpg|thumb|F]] [[หมวดหมู่:X]]", "อ้างอิง|แหล่งข้อมูลอื่น|ดูเพิ่ม"),
    "tr": ("[[Dosya:A.jpg|küçükresim|F]] [[Kategori:X]]", "Kaynakça|Dış bağlantılar|Ayrıca bakınız"),
    "uk": ("[[Файл:A.jpg|міні|F]] [[Категорія:X]]", "Примітки|Посилання|Див. також|Джерела"),
    "vi": ("[[Tập tin:A.jpg|nhỏ|F]] [[Thể loại:X]]", "Tham khảo|Liên kết ngoài|Xem thêm"),
    "zh": ("[[文件:A.jpg|缩略图|F]] [[分類:X]]", "參考文獻|外部連結|參見|参考资料|注释|外部链接"),
}


@pytest.mark.parametrize("language", WIKIS)
def test_pictures_categories_and_lists_of_other_texts_go(language: str) -> None:
    links, titles = WIKIS[language]
    lists = "".join(f"\n== {title} ==\n{PROSE}" for title in titles.split("|"))
    (kept,) = sections(f"{links} {PROSE}{lists}", Site(language))
    assert (kept.title, kept.text) == ("", PROSE)
