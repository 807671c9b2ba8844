"""Lists of English words: what ends no sentence, and what is capitalised and no name."""

FUNCTION_WORDS = frozenset(
    """
a about above across after afterwards again against all almost alone along already also although
always am among amongst amount an and another any anyhow anyone anything anyway anywhere are
around as at back be became because become becomes becoming been before beforehand behind being
below beside besides between beyond both bottom but by ca call can cannot could did do does
doing done down due during each eight either eleven else elsewhere empty enough even ever every
everyone everything everywhere except few fifteen fifty first five for former formerly forty
four from front full further get give go had has have he hence her here hereafter hereby herein
hereupon hers herself him himself his how however hundred i if in indeed into is it its itself
just keep last latter latterly least less made make many may me meanwhile might mine more
moreover most mostly move much must my myself name namely neither never nevertheless next nine
no nobody none noone nor not nothing now nowhere of off often on once one only onto or other
others otherwise our ours ourselves out over own part per perhaps please put quite rather re
really regarding same say see seem seemed seeming seems serious several she should show side
since six sixty so some somehow someone something sometime sometimes somewhere still such take
ten than that the their them themselves then thence there thereafter thereby therefore therein
thereupon these they third this those though three through throughout thru thus to together too
top toward towards twelve twenty two under unless until up upon us used using various very via
was we well were what whatever when whence whenever where whereafter whereas whereby wherein
whereupon wherever whether which while whither who whoever whole whom whose why will with within
without would yet you your yours yourself yourselves
""".split()
)
"""The stop words of spaCy's English (MIT)."""

NO_NAMES = frozenset(
    """
january february march april may june july august september october november december
monday tuesday wednesday thursday friday saturday sunday today tomorrow yesterday
spring summer autumn winter christmas easter ramadan diwali hanukkah
north south east west northern southern eastern western god lord earth internet web
mr mrs ms dr prof sir madam dame saint st aunt uncle mother father grandma grandpa mom mum dad
ai ais i ok okay yes no hello hi hey dear oh ah well
chapter section part figure table appendix question answer note user assistant human system
african american arab argentine asian australian austrian belgian brazilian british canadian
chilean chinese colombian cuban czech danish dutch egyptian english ethiopian european filipino
finnish french german ghanaian greek hebrew hindi hungarian indian indonesian iranian iraqi
irish islamic israeli italian jamaican japanese jewish kenyan korean latin lebanese malaysian
mexican moroccan muslim nigerian norwegian pakistani persian peruvian polish portuguese
romanian roman russian scottish somali spanish swedish swiss syrian thai turkish ukrainian
vietnamese welsh christian catholic buddhist hindu
""".split()
)

ABBREVIATIONS = frozenset(
    """
adm al apr approx aug ave blvd bros ca capt cf co col corp dec dept dr ed eds eg esq est etc ex
feb fig figs gen gov hon hrs inc jan jr jul jun lt ltd maj messrs mme mr mrs ms mt nos nov oct op
ph pp pres prof pvt rep rev sen sep sept sgt sr st tel viz vol vols vs
""".split()
)
"""Words whose full stop ends no sentence, in lower case and without the stop."""
