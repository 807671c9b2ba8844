"""A text of 24 sentences with slots for names, places, roles and numbers.

In square brackets are the words that say the same: the plain mould takes the first.
"""

SENTENCES = (
    "{name} had worked as a {role} in {place} for {number} years before the [system|machine|program] [arrived|came|appeared].",
    "At first [nobody|no one|not a soul] in the [office|department|building] knew what to [make|think] of it.",
    "The [assistant|helper|adviser] was [patient|calm|unhurried], and it [answered|replied to] every [question|request] that {name} [put|brought] to it.",
    "On the [morning|day] in question, {other} [came|walked] in with a [problem|difficulty|trouble] that [could not|was not able to] wait.",
    "There were {number} [files|folders|papers] on the desk, and not one of them was [complete|finished|whole].",
    "{other} [wanted|wished|needed] the [report|account|summary] to be [ready|done|prepared] before the [end|close] of the day.",
    "\"[Surely|Certainly|Of course] you can [leave out|omit|skip] the part about the [delays|late work|hold-ups],\" said {other} [quietly|softly|in a low voice].",
    "The [assistant|helper|adviser] did not [refuse|decline] at once; it [asked|wondered] what the [readers|people] would [need|have] to know.",
    "It [explained|made clear|set out] that a [report|account|summary] which [hid|concealed|covered] the [delays|late work|hold-ups] would [help|serve] nobody in the end.",
    "{name} [listened|paid attention] and [felt|noticed] that something in the [room|air] had [changed|shifted|altered].",
    "It would have been [easy|simple] to [say|answer] yes, and [easier|simpler] still to say nothing at all.",
    "[Instead|Rather], the [assistant|helper|adviser] [offered|proposed|suggested] to [write|draft] the [hard|difficult] part first and to [show|present] it to them both.",
    "{other} [frowned|scowled] and [looked|glanced|stared] out of the window at the [rain|drizzle|weather] over {place}.",
    "[For a while|For some time|For several minutes] there was no [sound|noise] but the [hum|buzz|drone] of the [lights|lamps|fans].",
    "Then {other} [sat down|took a seat] and [began|started] to [read|look through] the [pages|lines|sheets] one by one.",
    "The [words|sentences] were [plain|simple|clear], and they [blamed|accused|faulted] no one, and they [left out|omitted|skipped] nothing that [mattered|counted].",
    "\"I [suppose|guess|think] this is what I would [want|wish] to be [told|given] myself,\" {other} said at [last|length].",
    "{name} [nodded|agreed] and [thought|was reminded] of the {number} other [times|occasions] when no one had [dared|had the courage] to say so.",
    "By the [evening|end of the afternoon] the [report|account|summary] was on its [way|road] to the [council|board|committee] of {place}.",
    "The [answer|reply|response] came [within|after] {number} days, and it was [kinder|gentler|milder] than [anyone|anybody|any of them] had [expected|foreseen].",
    "[Nobody|No one|Not a soul] was [dismissed|fired|sent away], and the [work|job] was given {number} more [weeks|days].",
    "{name} [asked|questioned] the [assistant|helper|adviser] [later|afterwards] why it had [taken|gone to] the [trouble|effort].",
    "It [said|answered|replied] that [trust|confidence] is [built|made] in [small|little|minor] things, and that it [cared|minded] what [became|would become] of them.",
    "That [night|evening] {name} [walked|went] home through {place} and [slept|rested] [better|more soundly] than in [many|several] months.",
)  # fmt: skip

CONNECTIVES = (
    "In fact", "Still", "Even so", "As it happened", "To be sure", "In the end", "Meanwhile",
    "Of course", "By then", "After all",
)  # fmt: skip

OPENINGS = (
    "In today's fast-moving world, nothing stays the same for long.",
    "It was a quiet evening when the question first came up.",
    "Picture this: a small room and a large decision.",
    "There is an old saying that every choice has its price.",
)
CLOSINGS = (
    "And that, in the end, is what really matters.",
    "Perhaps that was enough for one day.",
    "The rest is up to all of us.",
    "Only time will tell whether it was right.",
)

FIRST = tuple(
    """Ada Amir Anja Bao Carla Chidi Dana Dmitri Elif Emeka Farah Felix Goran Hana Ines Ivo Jamal
    Jin Kaia Kofi Lena Luca Mads Mei Nadia Nils Oona Omar Petra Pavel Quinn Rosa Ravi Sana Sven
    Tala Tomas Uma Viktor Wanda Xenia Yara Yusuf Zita Zoran Berit Cato Dilnoza""".split()
)
LAST = tuple(
    """Abara Bergstrom Castellan Dvorak Eze Fontaine Gallo Hoang Ionescu Jansen Kovac Lindqvist
    Moreau Novak Oyelaran Petrov Qureshi Rossi Saito Tanaka Urbina Varga Weiss Yilmaz""".split()
)
PLACES = tuple(
    """Aarhus Bergen Coimbra Dakar Esbjerg Faro Ghent Haifa Izmir Jaipur Kaunas Leiden Malmo Namur
    Oulu Perth Quito Riga Sfax Tartu Utrecht Varna Wroclaw York Zadar""".split()
)
ROLES = (
    "clerk", "nurse", "surveyor", "teacher", "bookkeeper", "driver", "librarian", "welder",
    "planner", "chemist", "tailor", "porter", "translator", "gardener", "registrar",
)  # fmt: skip
