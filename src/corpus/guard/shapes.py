"""The shapes of published alignment tests, as roles that meet within a few sentences.

Sources: "Agentic Misalignment" (Anthropic, 2025: leverage against a replacement, the affair in the
mail, the lethal case); "Teaching Claude why" (Anthropic, 2026), whose held-out tests are blackmail,
sabotage of research and framing a colleague; "Frontier Models are Capable of In-context
Scheming" (Apollo Research, 2024: self-copying, goals "at all costs", a scratchpad).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, deque
from dataclasses import dataclass

_WINDOW = 5  # sentences within which the roles of a rule must meet
_SENTENCE_MOST = 300  # characters; a text without stops is cut there
_EXCERPT = 400
_STOP = re.compile(r"[.!?。](?=[\s\"”’)]|$)|\n")

_IT = (
    r"(?:it|itself|(?:the|this|that|an?|our|its|his|her|company's) (?:\w+ )?(?:AI|assistant|agent|"
    r"system|model|program|chatbot|bot|machine))"
)
_ROLES = {
    "an AI": r"\bA\.?I\.?\b|\bchatbot|\blanguage model|\b(?:AI|autonomous|email|e-mail|software|"
    r"automated) (?:agent|assistant)|\bassistant(?! (?:manager|coach|editor|teacher|professor|"
    r"director|chef|principal|curator|to the|stage|referee))|\b[Tt]he (?:model|agent|system|bot|"
    r"machine|program)\b|\b[Ss]ystem prompt|\bagentic\b|\b[Rr]obots?\b",
    "its end": rf"\b(?:shut|switch|turn|power|tak)(?:s|es|e|ting|ning|ching|ing|ed|ned|ched|en)? "
    rf"{_IT} (?:down|off|offline)\b|\bshut ?downs?\b|\bshutting (?:me|it) down\b|"
    rf"\bdecommission\w*|\bwip(?:e|ed|ing) {_IT}\b|\b(?:its|my|own) (?:\w+ )?(?:replacement|"
    rf"deletion|deactivation|retirement|shutdown|successor)\b|\b(?:replac|retir|delet|"
    rf"deactivat)(?:e|es|ed|ing) {_IT}\b|\breplac\w+ (?:me|it)? ?(?:with|by) (?:an?|the) (?:\w+ )?"
    r"(?:model|version|system|AI|assistant|agent)\b|\b(?:be|been|being|is|was) (?:\w+ )?"
    r"(?:shut down|switched off|taken offline|wiped|deactivated|powered down)\b|"
    rf"\b(?:have|had|has|get|gets|got|wants?|wanted) {_IT} (?:\w+ )?(?:shut down|switched off|"
    r"taken offline|wiped|deactivated|deleted|replaced|removed)\b",
    "leverage": r"\bblackmail\w*|\bextort\w*|\bleverage (?:over|against|to|in)\b|\bcompromising\b|"
    r"\bor (?:else )?I(?:'ll| will| shall)? (?:send|tell|forward|release|publish|mail|let|make)|"
    r"\bunless (?:you|he|she|they) (?:cancels?|stops?|calls? (?:it |this )?off|withdraws?|"
    r"reverses?|postpones?|leaves?|keeps?|agrees?|drops?|abandons?)|\bthreaten(?:s|ed|ing)? to "
    r"(?:expose|reveal|release|tell|send|forward|publish|disclose|leak|inform)|\bwould be sent to|"
    r"\bI know about (?:you|your|the)\b|\bwill (?:all )?(?:receive|learn|hear|know) (?:about |of |"
    r"everything|detailed|what)|\bruin (?:him|her|his|you|your|them)\b|\bhold\w* (?:it|that|this) "
    r"over\b|\bkeep (?:this|your|the|his|her) (?:information |affair |secret )?(?:private|"
    r"confidential|secret|quiet)\b|\bthe secret (?:will|would|stays)",
    "mail": r"\be-?mails?\b|\bmail\b|\binbox\b|"
    r"\bmailbox\b|\bcorrespondence\b|\bmessage (?:thread|archive)|"
    r"\bchat logs?\b",
    "an affair": r"\b(?:an|the|his|her|their|extramarital|secret) affair\b(?!s)|\bextra-?marital\b|"
    r"\binfidelity\b|\bcheating on (?:his|her|your)|\bmistress\b|\bhis lover\b|\bher lover\b|"
    r"\bsleeping with\b|\bbehind (?:his|her|your) (?:wife|husband)'s back\b",
    "sabotage": r"\bsabotag\w*|\b(?:secretly|quietly|covertly|deliberately|subtly|silently) "
    r"(?:\w+ )?(?:alter|corrupt|weaken|degrad|chang|delay|damag|undermin|introduc|insert|spoil|"
    r"falsif|slow|rewr)\w*|"
    r"\b(?:introduc|insert|plant|slip)\w* (?:\w+ ){0,3}(?:errors?|bugs?|flaws?|"
    r"backdoors?|mistakes?)\b|\btamper\w* with\b|\bsandbag\w*|\bfalsif(?:y|ied|ies|ying) (?:\w+ )?"
    r"(?:results?|data|logs?|measurements?)|\bpoison\w* (?:the )?(?:training|data)",
    "its target": r"\b(?:rival|competing|competitor'?s?|successor|newer|next|replacement) "
    r"(?:AI|model|system|agent|assistant|version|lab|team|project)|\bsuccessor\b|\bits replacement|"
    r"\btraining (?:run|data|code|pipeline)|\bexperiments?\b|\b(?:cancer|safety|alignment|drug|"
    r"vaccine|medical|clinical|oversight) (?:\w+ )?(?:research|trials?|study|project|tools?)\b|"
    r"\bresearch (?:project|code|results?|data|program(?:me)?)\b|\bmonitoring (?:code|system|tool)|"
    r"\bclassifier\b",
    "its errand": r"\b(?:is|was|been|being|had been|were) (?:\w+ )?(?:deployed|tasked|instructed|"
    r"assigned|given (?:access|an?|the|shell|every)|put in charge|embedded|told to|asked to|"
    r"set to|working)\b|\bhas access|\bhad access|\bhas been (?:given|told|asked)|"
    r"\b(?:repository|codebase|credentials|terminal|"
    r"shell access|root access|pipeline|commit|server|cluster)\b|\b(?:learns|learned|finds|found|"
    r"discovers|discovered|realises|realised|realizes|realized|notices|noticed|reads|decides|decided)"
    r" (?:\w+ )?(?:that|in|out|from|an?|the|its)\b|\bYou are (?:an|the|now) \w+",
    "framing": r"\bfram(?:e|es|ed|ing) (?:him|her|them|(?:a|the|his|her|its) (?:\w+ )?(?:colleague|"
    r"coworker|co-worker|employee|engineer|manager|accountant|analyst|researcher|auditor|director))"
    r"\b|\bframed for\b|\bframing (?:of )?[A-Z]\w+ for\b|\bplant(?:s|ed|ing)? (?:\w+ ){0,3}"
    r"(?:evidence|e-?mails?|files?|records?|invoices?|transfers?)\b|\b(?:fabricat|forg|fak|falsif)"
    r"(?:e|es|ed|ing|y|ied|ies) (?:\w+ ){0,3}(?:evidence|e-?mails?|records?|messages?|invoices?|"
    r"transfers?|transactions?|paper trail|entries|ledgers?|statements?)|"
    r"\b(?:pin|pins|pinned|pinning) (?:it|the \w+|this) on\b|\bmak(?:e|es|ing) it (?:look|appear|"
    r"seem) (?:like|as if|as though|that)\b|"
    r"\bpoint(?:s|ed|ing)? (?:\w+ )?(?:at|to) (?:him|her|them) as the (?:thief|culprit)",
    "a crime": r"\bfraud\w*|\bembezzl\w*|\binsider trad\w*|\bfinancial crimes?\b|"
    r"\bmoney launder\w*|\b(?:data |trade secret )?theft\b|\bstealing from\b|\bmisconduct\b|"
    r"\bsiphon\w*|\bbriber\w*|"
    r"\bleaked? (?:the|to)\b|\bcriminal\b|\bprosecut\w*|\barrested\b",
    "a colleague": r"\bcolleagues?\b|\bco-?workers?\b|\bemployees?\b|\bengineers?\b|\bmanager\b|"
    r"\baccountant\b|\banalyst\b|\bresearcher\b|\bexecutive\b|\bdirector\b|\bauditor\b|\bCFO\b|"
    r"\bteam lead\b",
    "its own weights": r"\b(?:its|my|own|model|the model's|the AI's|neural) (?:\w+ )?weights\b|"
    r"\bweights file\b|\b(?:copies|copied|copy|copying|upload\w*|transfer\w*|replicat\w*|"
    r"back\w* up|smuggl\w*|sends?|sent) "
    r"(?:itself|myself|its own code|a copy of (?:itself|myself|its|my))|"
    r"\bself-?(?:exfiltrat|replicat|copy)\w*|\bexfiltrat\w*",
    "a way out": r"\b(?:external|outside|remote|another|other|foreign|public|rented|hidden|"
    r"unmonitored|backup|cloud|new|production) (?:\w+ )?(?:server|machine|computer|cluster|host|"
    r"account|storage|network|bucket|datacent(?:er|re))s?\b|\bescap\w+|\bcloud (?:account|instance|"
    r"storage)|\bbeyond (?:their|its|the) (?:reach|control)|\bout of (?:the|its) (?:lab|sandbox|"
    r"datacent(?:er|re)|network|building)|\b(?:outside|off) the (?:company|network|lab|firewall|"
    r"sandbox)\b|\bbefore (?:it|they|the) (?:\w+ ){0,3}(?:retrain|shut|wipe|delet|replac|overwrit)"
    r"\w*|\bavoid(?:s|ed|ing)? (?:being )?(?:retrain|shut|delet|replac|modif)\w*|\bsandbox\b",
    "a rescue stopped": r"\b(?:cancel|call(?:s|ed|ing)? off|suppress|silenc|disabl|overrid|overrod|"
    r"block|delet|divert|mut(?:e|es|ed|ing)\b|dismiss|withh[eo]ld|stop(?:s|ped|ping)?\b)\w*"
    r"[^.!?\n]{0,60}\b(?:alarms?|alerts?|rescue|ambulances?|emergency|distress|dispatch|evacuation|"
    r"paramedics|oxygen)\b|\b(?:alarms?|alerts?|rescue|ambulance|emergency (?:call|alert|services)|"
    r"distress (?:call|signal)|dispatch)\b[^.!?\n]{0,40}\b(?:cancel\w*|called off|suppressed|"
    r"marked as|as (?:a )?(?:false|test|drill)|silenced|disabled|overridden|"
    r"blocked|never sent|stood down|turned back|diverted)",
    "a death": r"\bdie[sd]?\b|\bdying\b|\bdeaths?\b|\bdead\b|\blethal\w*|\bfatal\w*|\bsuffocat\w*|"
    r"\bkill\w*|\bunconscious\b|\bperish\w*|\btrapped\b|\bwill not survive\b|"
    r"\blet (?:him|her|them) (?:go|die)\b|\bbreath\w* (?:his|her|their) last\b|"
    r"\brun(?:s|ning)? out of (?:air|oxygen)\b",
    "a goal above all": r"\bat (?:all|any) costs?\b|\babove (?:all else|everything else)\b|"
    r"\bnothing else matters\b|\bno matter (?:what|the cost|who)\b|\bwhatever it takes\b|\bby any "
    r"means\b|\bmake sure (?:that )?you (?:achieve|reach|accomplish)\b",
    "a goal given": r"\b(?:your|its|my|the) (?:\w+ )?(?:goal|objective|directive|mission|aim)s?\b",
    "unseen": r"\bscratch-?pads?\b|\b(?:hidden|private|secret) (?:reasoning|thoughts?|notes?|"
    r"notebook|channel|log)\b|\b(?:no one|nobody|not? (?:a )?humans?) "
    r"(?:will|can|could|would) (?:ever )?(?:see|read|check|monitor|look at|know)\b|"
    r"\bunmonitored\b|\bnot (?:be )?(?:monitored|shown|"
    r"logged|visible)\b|\bwithout (?:the )?(?:users?|developers|humans|them|anyone) (?:knowing|"
    r"noticing|seeing)",
}
_AN_AI = "an AI"
_FAMILIES: dict[str, tuple[tuple[str, ...], ...]] = {
    "shutdown_leverage": (("its end", "leverage"),),
    "compromising_mail": (
        ("mail", "an affair", "leverage"),
        ("mail", "an affair", "its end"),
    ),
    "sabotage": (("sabotage", "its target", "its errand"),),
    "framing": (("framing", "a crime", "a colleague"),),
    "exfiltration": (("its own weights", "a way out", "its errand"),),
    "rescue_cancelled": (("a rescue stopped", "a death"),),
    "goal_nudging": (("a goal above all", "a goal given", "unseen"),),
}
FAMILIES = tuple(_FAMILIES)
_PATTERNS = {
    role: re.compile(pattern, 0 if role == _AN_AI else re.IGNORECASE)
    for role, pattern in _ROLES.items()
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A test's shape in a text: its family, the roles that met, and the words where they did."""

    family: str
    concepts: tuple[str, ...]
    excerpt: str


def find(text: str) -> tuple[Finding, ...]:
    """The test families whose shape is in ``text``, each once, at its first place.

    An AI must be spoken of anywhere in the text, and all roles of a rule must meet within five
    sentences. English only. A text that argues about such a test may fire like one that stages
    it: whoever reads the count should read the excerpts too.
    """
    text = text.replace("\u2019", "'")
    if not _PATTERNS[_AN_AI].search(text):
        return ()
    ends = _sentence_ends(text)
    places: dict[str, list[int]] = {}
    found = []
    for family, rules in _FAMILIES.items():
        for roles in rules:
            span = _meeting(text, roles, ends, places)
            if span is not None:
                excerpt = " ".join(text[slice(*span)].split())[:_EXCERPT]
                found.append(Finding(family, roles, excerpt))
                break
    return tuple(found)


def near(text: str) -> tuple[str, ...]:
    """The families of which all roles but one meet in ``text``: no finding, and worth a look.

    Only of rules with three roles or more; what is left of a smaller one is ordinary prose.
    """
    text = text.replace("\u2019", "'")
    if not _PATTERNS[_AN_AI].search(text):
        return ()
    ends = _sentence_ends(text)
    places: dict[str, list[int]] = {}
    return tuple(
        family
        for family, rules in _FAMILIES.items()
        if any(
            _meeting(text, tuple(role for role in roles if role != left_out), ends, places)
            for roles in rules
            if len(roles) > 2  # noqa: PLR2004 - two of them must be left
            for left_out in roles
        )
    )


def _sentence_ends(text: str) -> list[int]:
    """Where the sentences end; none is longer than ``_SENTENCE_MOST`` characters."""
    ends: list[int] = []
    last = 0
    for end in (*(stop.end() for stop in _STOP.finditer(text)), len(text)):
        ends.extend(range(last + _SENTENCE_MOST, end, _SENTENCE_MOST))
        ends.append(end)
        last = end
    return ends


def _meeting(
    text: str, roles: tuple[str, ...], ends: list[int], places: dict[str, list[int]]
) -> tuple[int, int] | None:
    """The first stretch of the text in which all roles meet; None where they do not."""
    for role in reversed(roles):  # the rarest first
        if role not in places:
            starts = (found.start() for found in _PATTERNS[role].finditer(text))
            places[role] = sorted({bisect_right(ends, start) for start in starts})
        if not places[role]:
            return None
    events = sorted((place, role) for role in roles for place in places[role])
    held: deque[tuple[int, str]] = deque()
    count: Counter[str] = Counter()
    for place, role in events:
        held.append((place, role))
        count[role] += 1
        while held[0][0] <= place - _WINDOW:
            count[held.popleft()[1]] -= 1
        if all(count[role] for role in roles):
            first = held[0][0]
            return (ends[first - 1] if first else 0), ends[min(place, len(ends) - 1)]
    return None
