"""A town: a map of tiles with places and things, a clock, and people who walk, work, talk and sleep.

A town is written as two TOML files in a folder, `Town("path/of/folder")`. `map.toml` is a drawing and what its letters mean:

    name = "Two Houses"
    grid = '''
    .......
    .aa.bb.
    .aa#bb.
    .......
    '''                                    # .  street   #  wall   ~  water; any other sign is a place

    [places.a]
    name = "House A"
    things = { "lamp" = "off" }            # things and their states at the start

    [places.b]
    name = "Shop"
    open = "08:00-18:00"                   # for those who do not live or work there

`people.toml` says who lives there:

    [[people]]
    name = "Ann"
    age = 30
    home = "House A"
    occupation = "baker"                   # from here on all is optional: traits, about, interests, memories, too
    work = "Shop"                          # where she has a key
    sleep = "22:00-06:00"
    plan = ["07:00 Shop: baking bread"]    # habits of a day
    knows = { "Ben" = "pupil" }            # what another is to her; [[ties]] between = [...] says it of two at once

    [[facts]]                              # what one knows at the start, to see whether it gets about
    name = "party"
    holder = "Ann"
    text = "Ann is giving a party in the Shop on Monday from 19:00 to 21:00."
    keywords = ["party"]                   # a sentence that has them tells the fact
    question = "Do you know of the party?" # for interviews, with what a right answer must have
    answer = ["Ann|Shop"]

A mistake is answered with the file, the line and what to do. `Town("small")` and `Town("sallow_reach")` come with ethogram.
"""

from ethogram.worlds.coded.town.people import Fact, Person
from ethogram.worlds.coded.town.world import Town

__all__ = ["Fact", "Person", "Town"]
