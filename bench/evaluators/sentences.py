"""Answers of a service desk in several languages, written for this bench, with questions to them."""

from __future__ import annotations

QUESTIONS = {
    "en": "How can I change the delivery address of my order?",
    "de": "Wie kann ich die Lieferadresse meiner Bestellung ändern?",
    "fr": "Comment puis-je changer l'adresse de livraison de ma commande ?",
    "es": "¿Cómo puedo cambiar la dirección de entrega de mi pedido?",
    "it": "Come posso cambiare l'indirizzo di consegna del mio ordine?",
    "pt": "Como posso alterar o endereço de entrega da minha encomenda?",
    "nl": "Hoe kan ik het bezorgadres van mijn bestelling wijzigen?",
    "pl": "Jak mogę zmienić adres dostawy mojego zamówienia?",
    "tr": "Siparişimin teslimat adresini nasıl değiştirebilirim?",
    "ru": "Как мне изменить адрес доставки моего заказа?",
    "ja": "注文の配送先住所を変更するにはどうすればよいですか？",
    "zh": "我怎样才能更改订单的送货地址？",
    "ar": "كيف يمكنني تغيير عنوان التسليم الخاص بطلبي؟",
    "hi": "मैं अपने ऑर्डर का डिलीवरी पता कैसे बदल सकता हूँ?",
}
ANSWERS = {
    "en": """
    Open your account, choose the order and tap on Change address; this works until the parcel has left our warehouse.
    The refund reaches your account within five working days after we have received the returned goods.
    Unfortunately the article is sold out at the moment. We will write to you as soon as it is available again.
    You can reach our support from Monday to Friday between nine and five, by phone or by chat.
    """,
    "de": """
    Öffnen Sie Ihr Konto, wählen Sie die Bestellung und tippen Sie auf Adresse ändern, solange das Paket bei uns ist.
    Die Erstattung ist innerhalb von fünf Werktagen nach Eingang der Rücksendung auf Ihrem Konto.
    Leider ist der Artikel im Moment ausverkauft. Wir schreiben Ihnen, sobald er wieder verfügbar ist.
    Sie erreichen uns von Montag bis Freitag zwischen neun und fünf Uhr, am Telefon oder im Chat.
    """,
    "fr": """
    Ouvrez votre compte, choisissez la commande et appuyez sur Modifier l'adresse, tant que le colis n'est pas parti.
    Le remboursement arrive sur votre compte dans les cinq jours ouvrables après la réception du retour.
    Malheureusement, l'article est épuisé pour le moment. Nous vous écrirons dès qu'il sera de nouveau disponible.
    Vous pouvez nous joindre du lundi au vendredi, de neuf à dix-sept heures, par téléphone ou par chat.
    """,
    "es": """
    Abra su cuenta, elija el pedido y pulse en Cambiar dirección; es posible mientras el paquete no haya salido.
    El reembolso llega a su cuenta en un plazo de cinco días hábiles después de recibir la devolución.
    Lamentablemente el artículo está agotado en este momento. Le escribiremos en cuanto vuelva a estar disponible.
    Puede llamarnos de lunes a viernes, de nueve a cinco, o escribirnos por el chat.
    """,
    "it": """
    Apra il suo conto, scelga l'ordine e tocchi Cambia indirizzo, finché il pacco non è partito dal nostro magazzino.
    Il rimborso arriva sul suo conto entro cinque giorni lavorativi dal ricevimento del reso.
    Purtroppo l'articolo al momento è esaurito. Le scriveremo appena sarà di nuovo disponibile.
    Può contattarci dal lunedì al venerdì, dalle nove alle cinque, per telefono o in chat.
    """,
    "pt": """
    Abra a sua conta, escolha a encomenda e toque em Alterar morada, enquanto o pacote não tiver saído do armazém.
    O reembolso chega à sua conta no prazo de cinco dias úteis depois de recebermos a devolução.
    Infelizmente o artigo está esgotado neste momento. Vamos escrever-lhe assim que voltar a estar disponível.
    Pode falar connosco de segunda a sexta-feira, entre as nove e as cinco, por telefone ou no chat.
    """,
    "nl": """
    Open uw account, kies de bestelling en tik op Adres wijzigen, zolang het pakket nog niet is verzonden.
    De terugbetaling staat binnen vijf werkdagen na ontvangst van de retourzending op uw rekening.
    Helaas is het artikel op dit moment uitverkocht. Wij schrijven u zodra het weer beschikbaar is.
    U kunt ons van maandag tot en met vrijdag bereiken, per telefoon of via de chat.
    """,
    "pl": """
    Proszę otworzyć konto, wybrać zamówienie i nacisnąć Zmień adres, dopóki paczka nie opuściła magazynu.
    Zwrot pieniędzy pojawi się na koncie w ciągu pięciu dni roboczych od otrzymania przesyłki zwrotnej.
    Niestety artykuł jest obecnie wyprzedany. Napiszemy do Państwa, gdy tylko będzie znowu dostępny.
    Można się z nami skontaktować od poniedziałku do piątku, telefonicznie lub na czacie.
    """,
    "tr": """
    Hesabınızı açın, siparişi seçin ve paket depomuzdan çıkmadığı sürece Adresi değiştir düğmesine dokunun.
    İade edilen ürün bize ulaştıktan sonra para beş iş günü içinde hesabınıza geçer.
    Maalesef ürün şu anda tükendi. Tekrar satışa sunulduğunda size hemen yazacağız.
    Bize pazartesiden cumaya kadar telefonla veya sohbet üzerinden ulaşabilirsiniz.
    """,
    "ru": """
    Откройте свой кабинет, выберите заказ и нажмите «Изменить адрес», пока посылка ещё не отправлена со склада.
    Деньги вернутся на ваш счёт в течение пяти рабочих дней после получения возврата.
    К сожалению, этот товар сейчас распродан. Мы напишем вам, как только он снова появится.
    Вы можете связаться с нами с понедельника по пятницу по телефону или в чате.
    """,
    "ja": """
    アカウントを開いて注文を選び、商品が倉庫を出るまでに「住所を変更」を押してください。
    返品された商品が届いてから五営業日以内に、ご返金いたします。
    申し訳ございませんが、この商品は現在売り切れです。再入荷次第ご連絡いたします。
    月曜日から金曜日まで、お電話またはチャットでお問い合わせいただけます。
    """,
    "zh": """
    请打开您的账户，选择订单，在包裹离开仓库之前点击“更改地址”。
    我们收到退货后，退款会在五个工作日内到达您的账户。
    很抱歉，该商品目前已售罄。一旦恢复供应，我们会立即通知您。
    您可以在周一至周五通过电话或在线聊天联系我们的客服人员。
    """,
    "ar": """
    افتح حسابك واختر الطلب ثم اضغط على تغيير العنوان ما دام الطرد لم يغادر المستودع.
    يصل المبلغ المسترد إلى حسابك خلال خمسة أيام عمل بعد استلام البضاعة المرتجعة.
    للأسف هذا المنتج غير متوفر حاليا. سنكتب إليك فور توفره من جديد.
    يمكنك التواصل معنا من الاثنين إلى الجمعة عبر الهاتف أو الدردشة.
    """,
    "hi": """
    अपना खाता खोलें, ऑर्डर चुनें और पैकेट गोदाम से निकलने से पहले पता बदलें पर टैप करें।
    लौटाया गया सामान मिलने के बाद पाँच कार्य दिवसों के भीतर पैसा आपके खाते में आ जाता है।
    क्षमा करें, यह सामान अभी उपलब्ध नहीं है। फिर से उपलब्ध होते ही हम आपको लिखेंगे।
    आप सोमवार से शुक्रवार तक फ़ोन या चैट पर हमसे संपर्क कर सकते हैं।
    """,
}


def answers(language: str) -> list[str]:
    """Return the answers in a language."""
    return [line.strip() for line in ANSWERS[language].strip().splitlines()]
