"""Floor 5: what a station does. Holds no pixel work and no parsing.

`plan.py` is the day on one page. The rooms, in the order in which a paper meets them:

    station      the station itself: made, opened, guarded, backed up; policy, clock, ledger
    persons      who may do what: accounts, clearances, circles, approvals, four eyes
    intake       the main job: from the inbox through the workers into the register
    review       confirm, override, cut, join, scan again, mend, close the batch
    papers       registered papers: looked up, handled, filed, held, handed on, let out
    levels       levels and secrecy terms after registration
    desk         mechanisms driven by policy data: movements, timers, matters, urging
    rounds       originals on their rounds: circulated, lent, carried, cleared, recalled
    copies       numbered copies: made, printed, followed, traced
    destruction  proposed, counted, approved, supervised, executed, verified, certified
    registers    the room's books, on screen and on paper
    learning     models made from persons' decisions
    bench        what is claimed about speed and exactness, measured
"""
