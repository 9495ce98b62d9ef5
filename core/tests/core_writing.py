"""Sentences and code to count: our own, in many languages. None was chosen for its number of tokens."""

ENGLISH = (
    "The committee will publish its proposals in spring and then ask every town for its opinion.",
    "She opened the window, listened to the rain for a while, and decided to stay at home that evening.",
    "International organizations have repeatedly recommended transparent administrative procedures.",
    "Payment is due within thirty days; after that date a fee of two percent may be added each month.",
    "If you want to understand why the server refused the request, look at the last lines of its log first.",
    "Most of the birds that nest on these cliffs spend the winter far out at sea, where nobody can count them.",
)
LATIN = {
    "German": (
        "Die Bundesregierung hat gestern beschlossen, die Geschwindigkeitsbegrenzung auf Landstraßen zu überprüfen.",
        "Wer den Vertrag kündigen möchte, muss das spätestens drei Monate vor dem Ende des Jahres schriftlich tun.",
        "Am Abend saßen wir noch lange auf der Terrasse und erzählten uns Geschichten aus der Schulzeit.",
    ),
    "French": (
        "Le gouvernement a décidé hier de réexaminer les limitations de vitesse sur les routes départementales.",
        "Quand il pleut, les enfants restent à la maison et jouent aux cartes avec leur grand-mère.",
        "Le paiement doit être effectué dans un délai de trente jours après la réception de la facture.",
    ),
    "Spanish": (
        "El gobierno decidió ayer revisar los límites de velocidad en la mayoría de las carreteras del país.",
        "Cuando llegamos al pueblo ya era de noche y todas las tiendas estaban cerradas desde hacía horas.",
        "El pago debe efectuarse dentro de los treinta días siguientes a la recepción de la factura.",
    ),
    "Portuguese": (
        "O governo decidiu ontem rever os limites de velocidade na maioria das estradas nacionais do país.",
        "As crianças brincavam na praia enquanto os pais preparavam o almoço debaixo de um grande guarda-sol.",
    ),
    "Italian": (
        "Il governo ha deciso ieri di rivedere i limiti di velocità sulla maggior parte delle strade provinciali.",
        "Mia nonna preparava ogni domenica una torta di mele e invitava tutti i vicini a prendere il caffè.",
    ),
    "Dutch": (
        "De regering heeft gisteren besloten de maximumsnelheid op de meeste provinciale wegen te herzien.",
        "Na het eten wandelden we langs de rivier en keken we naar de schepen die langzaam voorbijvoeren.",
    ),
    "Swedish": (
        "Regeringen beslutade i går att se över hastighetsgränserna på de flesta vägarna utanför städerna.",
        "På kvällen satt vi vid sjön, grillade fisk och berättade gamla historier för barnen.",
    ),
    "Finnish": (
        "Hallitus päätti eilen, että nopeusrajoituksia tarkistetaan useimmilla maanteillä, ja kertoo siitä keväällä.",
        "Illalla istuimme järven rannalla, paistoimme kalaa ja kerroimme lapsille vanhoja tarinoita.",
    ),
    "Polish": (
        "Rząd postanowił wczoraj sprawdzić ograniczenia prędkości na większości dróg krajowych i omówić je publicznie.",
        "Wieczorem siedzieliśmy nad jeziorem, piekliśmy ryby i opowiadaliśmy dzieciom stare historie.",
    ),
    "Czech": (
        "Vláda včera rozhodla, že přezkoumá rychlostní limity na většině silnic, a návrhy zveřejní na jaře.",
        "Večer jsme seděli u jezera, opékali ryby a vyprávěli dětem staré příběhy o horách a lesích.",
    ),
    "Croatian": (
        "Vlada je jučer odlučila preispitati ograničenja brzine na većini cesta i objaviti prijedloge u proljeće.",
        "Navečer smo sjedili uz jezero, pekli ribu i djeci pričali stare priče iz djetinjstva.",
    ),
    "Hungarian": (
        "A kormány tegnap úgy döntött, hogy a legtöbb országúton felülvizsgálja a sebességkorlátozásokat.",
        "Este a tó partján ültünk, halat sütöttünk, és régi történeteket meséltünk a gyerekeknek.",
    ),
    "Romanian": (
        "Guvernul a hotărât ieri să revizuiască limitele de viteză pe majoritatea drumurilor naționale.",
        "Seara am stat pe malul lacului, am fript pește și le-am spus copiilor povești vechi.",
    ),
    "Turkish": (
        "Hükümet dün yolların çoğunda hız sınırlarını yeniden gözden geçirmeye ve önerilerini yayımlamaya karar verdi.",
        "Akşam göl kenarında oturduk, balık pişirdik ve çocuklara eski hikâyeler anlattık.",
    ),
    "Indonesian": (
        "Pemerintah kemarin memutuskan untuk meninjau kembali batas kecepatan di sebagian besar jalan raya.",
        "Malam itu kami duduk di tepi danau, membakar ikan, dan menceritakan kisah lama kepada anak-anak.",
    ),
    "Vietnamese": (
        "Hôm qua chính phủ đã quyết định xem xét lại giới hạn tốc độ trên hầu hết các tuyến đường quốc lộ.",
        "Buổi tối chúng tôi ngồi bên hồ, nướng cá và kể cho bọn trẻ nghe những câu chuyện ngày xưa.",
    ),
}
SCRIPTS = {
    "Russian": (
        "Правительство вчера решило пересмотреть ограничения скорости на большинстве дорог и опубликует их весной.",
        "Вечером мы сидели у озера, жарили рыбу и рассказывали детям старые истории.",
        "Оплата должна быть произведена в течение тридцати дней после получения счёта.",
    ),
    "Ukrainian": (
        "Уряд учора вирішив переглянути обмеження швидкості на більшості доріг і оприлюднить пропозиції навесні.",
        "Увечері ми сиділи біля озера, смажили рибу й розповідали дітям старі історії.",
    ),
    "Bulgarian": (
        "Правителството реши вчера да преразгледа ограниченията на скоростта по повечето пътища в страната.",
        "Вечерта седяхме край езерото, печахме риба и разказвахме на децата стари истории.",
    ),
    "Greek": (
        "Η κυβέρνηση αποφάσισε χθες να επανεξετάσει τα όρια ταχύτητας στους περισσότερους δρόμους της χώρας.",
        "Το βράδυ καθόμασταν δίπλα στη λίμνη, ψήναμε ψάρια και λέγαμε στα παιδιά παλιές ιστορίες.",
    ),
    "Arabic": (
        "قررت الحكومة أمس إعادة النظر في حدود السرعة على معظم الطرق وستنشر مقترحاتها في الربيع المقبل.",
        "في المساء جلسنا قرب البحيرة وشوينا السمك وحكينا للأطفال قصصا قديمة عن الجبال.",
    ),
    "Persian": (
        "دولت دیروز تصمیم گرفت محدودیت سرعت را در بیشتر جاده‌ها بازبینی کند و پیشنهادهای خود را در بهار منتشر کند.",
        "شب کنار دریاچه نشستیم، ماهی کباب کردیم و برای بچه‌ها داستان‌های قدیمی تعریف کردیم.",
    ),
    "Hebrew": (
        "הממשלה החליטה אתמול לבחון מחדש את מגבלות המהירות ברוב הכבישים ותפרסם את ההצעות באביב.",
        "בערב ישבנו ליד האגם, צלינו דגים וסיפרנו לילדים סיפורים ישנים על ההרים.",
    ),
    "Hindi": (
        "सरकार ने कल फैसला किया कि अधिकांश सड़कों पर गति सीमा की फिर से समीक्षा की जाएगी।",
        "शाम को हम झील के किनारे बैठे, मछली पकाई और बच्चों को पुरानी कहानियाँ सुनाईं।",
        "बिल मिलने के तीस दिनों के भीतर भुगतान करना आवश्यक है, अन्यथा शुल्क लग सकता है।",
    ),
    "Marathi": ("सरकारने काल बहुतेक रस्त्यांवरील वेगमर्यादेचा पुन्हा आढावा घेण्याचा निर्णय घेतला.",),
    "Bengali": (
        "সরকার গতকাল অধিকাংশ সড়কে গতিসীমা পুনরায় পর্যালোচনা করার সিদ্ধান্ত নিয়েছে।",
        "সন্ধ্যায় আমরা হ্রদের ধারে বসে মাছ ভাজলাম আর শিশুদের পুরোনো গল্প শোনালাম।",
    ),
    "Tamil": ("அரசு நேற்று பெரும்பாலான சாலைகளில் வேக வரம்புகளை மறுபரிசீலனை செய்ய முடிவு செய்தது.",),
    "Telugu": ("ప్రభుత్వం నిన్న చాలా రహదారులపై వేగ పరిమితులను పునఃసమీక్షించాలని నిర్ణయించింది.",),
    "Thai": (
        "เมื่อวานนี้รัฐบาลตัดสินใจทบทวนการจำกัดความเร็วบนถนนส่วนใหญ่ และจะประกาศข้อเสนอในฤดูใบไม้ผลิ",
        "ตอนเย็นพวกเรานั่งริมทะเลสาบ ย่างปลา และเล่านิทานเก่าให้เด็กฟัง",
    ),
    "Georgian": ("მთავრობამ გუშინ გადაწყვიტა გადახედოს სიჩქარის შეზღუდვებს გზების უმეტესობაზე.",),
    "Armenian": ("Կառավարությունը երեկ որոշեց վերանայել արագության սահմանափակումները ճանապարհների մեծ մասում։",),
}
CHINESE = (
    "今天天气很好，我们一起去公园散步，看到了很多美丽的花和树。大家都很高兴，孩子们在草地上跑来跑去，老人们坐在长椅上聊天。",
    "人工智能正在改变世界，各行各业都在学习如何使用新的工具。合同规定，双方应当在三十天之内完成付款，否则需要支付违约金。",
    "如果您忘记了密码，请点击登录页面下方的链接，我们会向您注册时填写的邮箱发送一封重置邮件，链接在二十四小时内有效。",
    "政府昨天決定重新檢討大部分道路的速限。許多居民希望街道更安靜，其他人則擔心通勤時間變長。委員會將於明年春天公布建議。",
    "晚上我們坐在湖邊烤魚，跟孩子們講從前的故事。外婆說，她小時候村裡還沒有電燈，大家天一黑就睡覺，天一亮就起床工作。",
)
JAPANESE = (
    "今日はとても天気がよかったので、公園まで散歩に行きました。花がたくさん咲いていて、子どもたちが楽しそうに遊んでいました。",
    "新しい技術は私たちの生活を少しずつ変えています。コンピューターとインターネットのおかげで、遠くの人ともすぐに話せます。",
    "契約書によると、支払いは三十日以内に行わなければなりません。遅れた場合には、追加の料金が発生することがあります。",
    "パスワードをお忘れの場合は、ログイン画面の下にあるリンクをクリックし、登録したメールアドレスを入力してください。",
)
KOREAN = (
    "오늘은 날씨가 아주 좋아서 공원에 산책을 갔습니다. 꽃이 많이 피어 있었고 아이들이 즐겁게 뛰어놀고 있었습니다.",
    "새로운 기술은 우리의 생활을 조금씩 바꾸고 있습니다. 많은 회사들이 인공지능을 어떻게 사용할지 배우고 있습니다.",
    "계약서에 따르면 삼십 일 이내에 대금을 지급해야 합니다. 늦어지면 추가 비용이 발생할 수 있습니다.",
    "비밀번호를 잊으셨다면 로그인 화면 아래에 있는 링크를 눌러 가입할 때 쓰신 전자우편 주소를 입력해 주세요.",
)
MIXED = (
    "请在 config.yaml 里设置 timeout: 30，然后运行 make test；如果失败，请把 error log 发给我们。",
    "この API は JSON を返します。status が 429 のときは Retry-After ヘッダーを見てください。",
    "이 함수는 list[str]을 받아서 dict를 돌려줍니다. 예외는 ValueError 하나뿐입니다.",
    "Bitte `pip install byollm` ausführen und danach https://example.org/docs/setup#keys lesen (Abschnitt 2.3).",
    "- [x] read the file\n- [ ] **write** the test, see #123\n- [ ] tell the others, e.g. by mail: team@example.org\n",
    "| name | tokens | price |\n|---|--:|--:|\n| small | 128,000 | $0.25 |\n| large | 1,000,000 | $2.50 |\n",
)
CODE = (
    'def total(rows: list[dict[str, float]]) -> float:\n    """The sum of all amounts."""\n'
    '    return sum(row["amount"] for row in rows if row.get("valid", True))\n',
    "class Stack:\n    def __init__(self) -> None:\n        self._items: list[int] = []\n\n"
    "    def push(self, item: int) -> None:\n        self._items.append(item)\n",
    "export async function load(id: string): Promise<User> {\n  const response = await fetch(`/api/users/${id}`);\n"
    '  if (!response.ok) throw new Error("not found");\n  return response.json();\n}\n',
    "const sorted = [...items].sort((a, b) => b.score - a.score).slice(0, 10).map((item) => item.name);\n",
    "func (s *Server) Handle(w http.ResponseWriter, r *http.Request) {\n\tif r.Method != http.MethodPost {\n"
    "\t\tw.WriteHeader(http.StatusMethodNotAllowed)\n\t\treturn\n\t}\n}\n",
    "fn parse(line: &str) -> Option<(u32, &str)> {\n    let (left, right) = line.split_once(':')?;\n"
    "    Some((left.trim().parse().ok()?, right.trim()))\n}\n",
    "public record Point(double x, double y) {\n    public double distance(Point other) {\n"
    "        return Math.hypot(x - other.x, y - other.y);\n    }\n}\n",
    "static int compare(const void *a, const void *b)\n{\n    const struct entry *x = a, *y = b;\n\n"
    "    return strcmp(x->name, y->name);\n}\n",
    "template <typename T>\nT clamp(const T& value, const T& low, const T& high) {\n"
    "    return value < low ? low : value > high ? high : value;\n}\n",
    "SELECT customer.name, COUNT(*) AS orders\nFROM customer JOIN purchase ON purchase.customer_id = customer.id\n"
    "WHERE purchase.created_at >= '2026-01-01'\nGROUP BY customer.name HAVING COUNT(*) > 3;\n",
    '<form method="post" action="/login">\n  <label for="name">Name</label>\n'
    '  <input id="name" name="name" required>\n  <button type="submit">Log in</button>\n</form>\n',
    '{"name": "example", "version": "1.4.2", "private": true, "scripts": {"test": "vitest run", "build": "tsc -p ."}}',
    "services:\n  web:\n    image: nginx:1.27\n    ports:\n      - \"8080:80\"\n    depends_on:\n      - database\n",
    "for file in *.log; do\n  if grep -q ERROR \"$file\"; then\n    echo \"$file: $(grep -c ERROR \"$file\") errors\"\n"
    "  fi\ndone\n",
)  # fmt: skip
