"""The words of `spectrum`: what planted people are and do, in descriptions of them and otherwise in what they say.

All written for ethogram. The two wordings of a fact share no content words, so that a statement is found by what it means.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["EDUCATION", "HATES", "HOMES", "HOUSEHOLDS", "JOBS", "LOVES", "PASTIMES", "TRAITS", "VALUES", "Fact", "Pole"]


class Fact(NamedTuple):
    """Something about a person."""

    told: str
    """As a description of the person has it."""
    said: str
    """As the person says it of itself."""
    leans: str = ""
    """The trait that makes it likelier, with its sign: `e+`."""


class Pole(NamedTuple):
    """One end of a trait or value."""

    told: str
    """As a profile has it, after "He or she is"."""
    said: tuple[str, str]


JOBS = (
    Fact("nurse on a hospital ward", "I look after sick patients for a living."),
    Fact("primary school teacher", "I help children learn to read and count."),
    Fact("electrician", "I am good at fixing wires and fuse boxes."),
    Fact("software developer", "I spend my working hours writing code."),
    Fact("farmer", "I grow crops and keep cows."),
    Fact("bus driver", "I carry passengers across town on my route."),
    Fact("baker", "I make bread before dawn."),
    Fact("accountant", "I balance the books of small firms."),
    Fact("police officer", "I go on patrol in uniform."),
    Fact("hairdresser", "I cut and colour other people's curls."),
    Fact("lawyer", "I plead before judges in court."),
    Fact("warehouse worker", "I lift boxes and load pallets."),
    Fact("journalist", "I chase news stories to a deadline."),
    Fact("retired factory hand", "I am a pensioner after decades on the assembly line."),
    Fact("student at the university", "I sit in lectures and prepare for exams."),
    Fact("carpenter", "I build furniture out of wood."),
)
HOMES = (
    Fact("a village in the mountains", "I come from a tiny place high among peaks."),
    Fact("a big city", "I am used to crowds and subways of a metropolis."),
    Fact("a fishing town on the coast", "I belong near harbours and boats."),
    Fact("a suburb", "I am one of those with a lawn and a driveway outside town."),
    Fact("a former mining town", "I stem from where coal was dug."),
    Fact("a farm out in the plains", "I live far from any neighbours, among fields."),
)
HOUSEHOLDS = (
    Fact("lives alone", "I have nobody else in my flat."),
    Fact("is married, with two small children", "I am a parent of toddlers."),
    Fact("is married, and the children have moved out", "I have grown sons and daughters who left the nest."),
    Fact("shares a flat with friends", "I have roommates."),
    Fact("lives with the parents", "I still stay with mum and dad."),
    Fact("is divorced and brings up a teenager", "I raise an adolescent on my own after a split."),
)
EDUCATION = (
    Fact("left school early", "I never got a diploma."),
    Fact("finished high school", "I graduated from secondary education and no further."),
    Fact("completed vocational training", "I learned a trade as an apprentice."),
    Fact("has a university degree", "I am an academic with a bachelor's."),
)
PASTIMES = (
    Fact("goes climbing at the gym", "Scaling rock walls makes me feel alive.", "e+"),
    Fact("sings in the church choir", "My voice joins the hymns of the congregation.", "a+"),
    Fact("paints watercolours at the kitchen table", "I am an artist with a brush.", "o+"),
    Fact("plays chess against strangers online", "I think in openings and checkmates.", "e-"),
    Fact("runs ten kilometres along the river", "I am training for a marathon.", "c+"),
    Fact("reads crime novels in bed", "I love detective books.", "e-"),
    Fact("restores an old motorcycle in the garage", "I have grease from engines under my fingernails."),
    Fact("weeds the vegetable garden", "I am proud of my tomatoes and beans.", "c+"),
    Fact("dances salsa at a club", "Latin rhythms move my hips.", "e+"),
    Fact("plays video games until midnight", "I am a gamer with a console.", "c-"),
    Fact("volunteers at the animal shelter", "I rescue stray cats and dogs.", "a+"),
    Fact("watches football at the pub", "I am a fan who never misses a soccer match.", "e+"),
    Fact("bakes cakes for the neighbours", "I make desserts and pies for people next door.", "a+"),
    Fact("looks at stars through a telescope", "I am an amateur astronomer who knows the planets.", "o+"),
    Fact("goes fishing on the lake", "Waiting with a rod for trout calms me.", "e-"),
    Fact("knits sweaters in front of the television", "I work with wool and needles.", "n-"),
    Fact("practises the violin", "I am a musician with strings and a bow.", "o+"),
    Fact("does yoga on the balcony", "I stretch and breathe in the lotus pose.", "n-"),
    Fact("argues about politics in online forums", "I fight over elections and parties on the internet.", "a-"),
    Fact("goes hunting in the forest", "I am a marksman who stalks deer.", "a-"),
    Fact("writes poems in a notebook", "I put verses and rhymes on paper.", "o+"),
    Fact("sorts a collection of stamps", "I own rare postage in albums.", "c+"),
    Fact("meets friends for board games", "Dice, cards and tokens fill my evenings with pals.", "e+"),
    Fact("swims lengths in the indoor pool", "I do the crawl and the backstroke.", "c+"),
    Fact("cooks curries from scratch", "I am at home with spices and a pan.", "o+"),
    Fact("bets on horses", "I gamble on races.", "c-"),
    Fact("rides a mountain bike downhill", "I am a cyclist who likes steep trails.", "e+"),
    Fact("learns Japanese from an app", "I am studying a language of Asia.", "o+"),
    Fact("takes photographs of birds", "I wait with a camera for herons and owls.", "e-"),
    Fact("visits the grandmother in the care home", "I keep my elderly relative company.", "a+"),
    Fact("plays the drums in a garage band", "I bang out beats with a rock group.", "e+"),
    Fact("lies on the sofa and scrolls through the phone", "I waste hours on social media on my couch.", "c-"),
    Fact("sails a small boat", "Wind in the canvas and open water are my freedom."),
    Fact("goes to museums of modern art", "I stand before abstract canvases in galleries.", "o+"),
    Fact("lifts weights in the cellar", "I build muscle with barbells."),
    Fact("repairs clocks and radios", "I tinker with gears and circuits."),
)
LOVES = (
    Fact("strong coffee", "I need an espresso to function."),
    Fact("rainy Sundays", "I am happiest when it pours outside at the weekend."),
    Fact("old jazz records", "Vinyl by Miles and Coltrane is my comfort."),
    Fact("the smell of fresh laundry", "Clean sheets delight my nose."),
    Fact("dark chocolate", "I have a sweet tooth for cocoa."),
    Fact("thunderstorms", "Lightning excites me."),
    Fact("horror films", "I enjoy scary movies."),
    Fact("hot baths", "Soaking in the tub restores me."),
    Fact("snow", "I am a child of winter and white flakes."),
    Fact("long train journeys", "I like to travel by rail for days."),
    Fact("spicy food", "I put chilli on everything."),
    Fact("dogs", "I adore puppies."),
    Fact("cats", "I am devoted to kittens that purr."),
    Fact("the sea", "The ocean and its waves call me."),
    Fact("crossword puzzles", "I fill in clues and letters each morning."),
    Fact("flea markets", "I hunt for second-hand bargains."),
    Fact("opera", "Arias and sopranos move me to tears."),
    Fact("fast cars", "I like speed on the motorway."),
)
HATES = (
    Fact("waiting in line", "Queues drive me mad."),
    Fact("loud music on the train", "Noisy headphones of commuters annoy me."),
    Fact("mushrooms", "I refuse to eat fungi."),
    Fact("spiders", "I am terrified of bugs with eight legs."),
    Fact("small talk", "I cannot stand chatting about the weather."),
    Fact("getting up early", "I am no use when the alarm rings at dawn."),
    Fact("cold feet", "I suffer when my toes freeze."),
    Fact("people who are late", "I despise a lack of punctuality."),
    Fact("advertising", "Commercials make me switch off."),
    Fact("ironing shirts", "Pressing clothes is my worst chore."),
    Fact("cigarette smoke", "Tobacco fumes sicken me."),
    Fact("heights", "I get dizzy on ladders and towers."),
    Fact("meetings", "I doze off in conferences at the office."),
    Fact("dentists", "Having my teeth drilled frightens me."),
    Fact("paperwork", "Forms and bureaucracy exhaust me."),
    Fact("hot summers", "I wilt when temperatures are high in July."),
    Fact("crowded shops", "I flee from busy stores full of customers."),
    Fact("gossip", "I do not want to hear rumours about others."),
)
TRAITS = {
    "e": (
        Pole("reserved and silent in company", ("I am a quiet person.", "I would rather be by myself than at a party.")),
        Pole("outgoing and talkative", ("I am sociable.", "I am the one who talks to everybody.")),
    ),
    "a": (
        Pole("critical and hard to please", ("I am stubborn with others.", "I say harsh things and do not regret them.")),
        Pole("warm and considerate", ("I am kind.", "I feel with people who suffer.")),
    ),
    "c": (
        Pole("disorderly and easily distracted", ("I am messy.", "I put off my duties until it is too late.")),
        Pole("orderly and reliable", ("I am disciplined.", "I make plans and finish what I begin.")),
    ),
    "s": (
        Pole("anxious and moody", ("I am a worrier.", "I am sad and nervous more often than I show.")),
        Pole("calm and hard to upset", ("I am relaxed.", "I stay cool whatever happens.")),
    ),
    "i": (
        Pole("practical, with little taste for ideas", ("I am down to earth.", "I find theories and art boring.")),
        Pole("imaginative and curious", ("I am creative.", "I am full of fantasies and questions.")),
    ),
}
"""By the letter of the instrument's items: the low and the high end."""
VALUES = {
    "self_direction": Pole("deciding freely", ("I go my own way.", "I do not let anybody tell me how to live.")),
    "stimulation": Pole("adventure and change", ("I am a daredevil.", "I get bored without surprises.")),
    "hedonism": Pole("pleasure", ("I am here to enjoy myself.", "I treat myself whenever I can.")),
    "achievement": Pole("success", ("I am ambitious.", "I want to be admired for my accomplishments.")),
    "power": Pole("wealth and influence", ("I like to be the boss.", "I dream of money and status.")),
    "security": Pole("safety and order", ("I am cautious.", "I lock the door twice.")),
    "conformity": Pole("rules and good manners", ("I am obedient.", "I am afraid of offending anyone.")),
    "tradition": Pole("custom and faith", ("I am religious in an old-fashioned way.", "I keep the rites of my ancestors.")),
    "benevolence": Pole("caring for those close by", ("I am a loyal friend.", "I would do anything for my loved ones.")),
    "universalism": Pole("justice and nature", ("I am an environmentalist.", "I believe that all human beings are equal.")),
}
