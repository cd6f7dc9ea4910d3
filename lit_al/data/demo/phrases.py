"""The sentences of the made-up reviews, with slots that `lit_al.data.demo` fills from the word lists.

A slot is a name in braces. Slots for opinion words (`{adj}`, `{noun}`, `{works}` …) agree in sign with their sentence;
`~` asks for the opposite sign, `a:` puts the right article before the word. No sentence here carries a sign of its own:
which way it points is decided by the words drawn, so nothing can be learned from the frame alone.
"""

# Whole clauses of one sign.
APPROVE = """I could have watched it for another hour|I bought the disc the next day|I have seen it a dozen times|
you will want to see it again|it stays in the mind for weeks|my whole family loved it|I laughed until it hurt|
I cried at the end and I'm not ashamed|there is not a wasted minute|they don't make them like this anymore|
time flew by|I can't wait for the sequel|it deserves a much bigger audience|everyone involved should be proud|
I didn't want it to end|it gets better with every viewing|the audience applauded|you care about these people|
it made my day|this is what cinema is for|it has its heart in the right place|I was sorry when the lights came on|
I forgot that I was watching a film|it never talks down to us|I still hum the tune|you could hear a pin drop|
I told all my friends about it|it made me call my mother|there is always something to look at|it rewards a second look|
it knows exactly what it is doing|I smiled all the way home|the kids were quiet for once|every penny is on the screen|
I have worn out my copy|nobody in it puts a foot wrong|the chemistry is there from the first minute|
it gave me goose bumps|I would not change a frame|I was grinning from ear to ear|I was on the edge of my seat"""

DISAPPROVE = """I want my money back|I left before the end|I fell asleep twice|I kept looking at my watch|
there is no reason to care|nobody in it acts like a human being|I have seen better student films|we turned it off|
half of the audience walked out|you can see every twist coming|someone should have said no|it goes on forever|
nothing happens for an hour|they must have run out of money|I felt cheated|my dog could have written it|
I can't believe it got made|the jokes die one by one|it was a long evening|I was hoping that everybody would die|
what were they thinking|I would rather watch paint dry|I threw the tape away|even the kids were restless|
I stopped counting the holes in the plot|it looks like a commercial|you have seen it all before|it made me angry|
nobody seems to know what the point is|I gave up after an hour|the boom is in the shot|I wanted to like it|
I still don't know what it was about|everyone involved should apologize|it was painful to watch them try|
I laughed where I was not supposed to|the budget went elsewhere|I apologized to my date|even the cast looks embarrassed|
the extras look at the camera|I was looking for the exit|I was reaching for the remote"""

RECOMMEND = """see it if you can|highly recommended|it is well worth your time|don't miss it|give it a chance|
I recommend it to everyone|rent it tonight|it belongs in every collection|two thumbs up|you won't regret it|
go and see it|I loved it|you will have a good time|it is one of my favorites|watch it with someone you like|
buy it|a must for any fan|check it out|it is worth every cent|it is one of the best of its year|I will watch it again|
treat yourself|show it to your children|it gets my vote|run to see it|it earns a place on the shelf|it has my blessing|
put it at the top of your list|catch it while it is around|stay up late for it|I enjoyed every minute|
it should have won everything"""

WARN = """avoid it|don't waste your time|save your money|skip it|stay away|it is not worth the rental|
watch something else|don't bother|I hated it|it is one of the worst of its year|you have been warned|two thumbs down|
read a book instead|it should have stayed on the shelf|I want those two hours back|leave it at the store|
not even for fans|wait until it is on television, and then don't watch|keep it away from children|give it a miss|
don't believe the hype|it deserves to be forgotten|do yourself a favor and pass|I will never watch it again|
run from it|spare yourself|let it rest in peace|see anything else|nobody needs it|use the disc as a coaster|
it has nothing to offer|stick to the original"""

# The first sentence of many reviews: the film at a glance.
OPENING = (
    "{title} is {a:adj} {form} about {a:role} who {meets} {a:role2} {place}.",
    "{title} ({year}) is {a:adj} {form} by {director}{tail}.",
    "When I saw {title} {when}, I was {degree}{moved}.",
    "I saw {title} {when}, and what can I say? It is {a:noun}.",
    "{director}'s {title} is {degree}{adj}, {well} {made} and {adj2}.",
    "{friend} gave me {title} to watch, and {it} {is} {degree}{adj}.",
    "{title} is {a:form} about {a:trait} {role} and {a:quality} {thing}.",
    "I rented {title} {when} because {friend} would not stop talking about it.",
    "{title}, with {actor} and {rival}, is {a:noun}.",
    "This {form} from {year} tells of {a:role} and {a:role2} who meet {place}.",
    "Where do I begin? {title} {works}.",
    "I have been waiting to see {title} since {friend} told me about it.",
    "{actor} made {title} in {year}, and {it} {is} {degree}{adj}.",
    "My first thought when the lights went on: {a:adj}, {degree}{adj2} {form}.",
)

# What happens: no opinion of the film is meant, though good cops, bad jobs and terrible secrets fill any plot.
PLOT = (
    "{hero} is {a:trait} {role} who {meets} {a:trait2} {role2} {place}{tail}.",
    "{hero} {meets} {a:role}, {meets2} {a:role2} and finally {handles} the {thing} that everybody wants.",
    "The story takes place {place}, where {hero} {handles} {a:quality} {thing}.",
    "Meanwhile {foe}, {a:trait} {role}, {handles} the {thing} and {meets} {hero}.",
    "When {a:trait} {role} {meets} {hero}, the two of them leave {town} with {a:quality} {thing}.",
    "It all begins in {town}, {a:quality} place with {a:thing}, {number} {things2} and not much else.",
    "{hero} ({actor}) {handles} {a:thing} and meets {foe} ({rival}) {place}.",
    "Then there is {foe} ({rival}), who {meets} the {role} because of {a:thing}.",
    "Along the way they meet {a:role}, {a:trait} {role2} and a man with {number} {things}.",
    "{actor} plays {hero}, {a:trait} {role} from {town}.",
    "{rival} is {foe}, the {trait} {role} who {meets} everyone {place}.",
    "After the {thing} is found {place}, {hero} begins {handling} the {things2}.",
    "By {meeting} the {role}, {hero} hopes to find out who {handled} the {thing} {place}.",
    "There is a {scene} with {a:thing} {place}, and another with {number} {things2}.",
    "Years later {foe} {handles} the same {thing} in {town}.",
    "Of course the {trait} {role} has {a:quality} {thing}, and of course {hero} {handles} it.",
    "The {roles} of {town} do not like {hero}, who once {handled} {a:thing} {place}.",
    "{hero} and {foe} grew up together in {town}, before the {quality} {thing}.",
    "What {hero} does not know is that the {role} has already {handled} the {quality} {thing}.",
    "It is {year}, and {town} is full of {roles}, {things} and {quality} {things2}.",
    "The {role} will not give up the {thing}, so {hero} is {meeting} {a:trait} {role2} instead.",
    "{hero} never wanted to be {a:role}, but somebody has to {handle} the {thing}.",
    "Without {handling} the {thing}, nobody in {town} can {meet} {foe}.",
    "Soon {a:trait} {role} turns up {place} and {meets} {foe}.",
    "The {roles}, all {trait} and none of them {trait2}, {handle} {a:thing} to {meet} {hero}.",
    "Somebody {meets} {foe} at night {place}, and nobody {handles} the {thing}.",
    "{hero}'s {thing} is {quality}, {hero}'s boss is {trait} and the {role} next door {meets} everyone.",
    "There is {a:quality} {thing} kept {place}, which {foe} {handles} for the {roles}.",
    "They dance, they fight, they {handle} the {things}, and they end up {place} with {a:trait} {role}.",
    "{foe} has {number} {things} and {a:quality} {thing2}; {hero} has nothing but {a:trait} friend {place}.",
    "Nobody would {meet} {a:trait} {role}, except that this one {handled} {a:quality} {thing} in {year}.",
    "Half of the story is told by {a:role}, the other half by {a:trait} {role2} who {meets} {foe}.",
)

# Around the film: who made it, how it was seen; no opinion either.
BACKGROUND = (
    "{open}I saw {it} {when}{tail}.",
    "{open}I watched {it} {when} with {number} friends.",
    "{title} was made in {year} by {director}, who had filmed {a:thing} or two before.",
    "{director} also made {old_title}, which I saw {when}.",
    "You may remember {actor} from {old_title} or {old_title2}.",
    "{actor} and {rival} had met before, in {old_title}.",
    "{open}{it} runs {minutes} minutes and was shot near {town}.",
    "The part of {hero} was offered to {extra} first.",
    "{director} has been compared to {old_director}, and {old_title} is often named beside {title}.",
    "There are {number} versions of {it}; I have seen the one that runs {minutes} minutes.",
    "The script is by {writer}, from a book about {a:trait} {role}.",
    "{open}I grew up near {town}, among {roles}, {things} and {things2}.",
    "I had read the book {when}, the one with the {quality} {thing} on the cover.",
    "{open}it reminds me of {old_title} by {old_director}.",
    "{open}{friend} rented {it} {when} because of {actor}.",
    "{extra} has a small part as {a:role}, and {writer} walks by as {a:trait} {role2}.",
    "The last {form} by {director} was about {a:role} and {a:thing}.",
    "It was raining, and we had nothing else to do in {town}.",
    "{open}{trivia} {happened}.",
    "{trivia} {happened}, and {trivia2} {happened2}{tail}.",
    "If I remember well, {trivia} {happened} while {director} was making {old_title}.",
    "{extra}, {extra2} and {old_director} can be seen in the crowd {place}.",
    "{friend} knows somebody who knows {extra}, who played the {role} in {old_title}.",
)

# One opinion, said straight; `ABOUT` holds the sentences that fit a single aspect.
PLAIN = (
    "{open}{subject} {is} {degree}{adj}{tail}.",
    "{open}{subject} {is} {adj} and {degree}{adj2}.",
    "{open}{subject} {is} {degree}{adj} {part}{tail}.",
    "{open}I found {subject} {degree}{adj}{tail}.",
    "There is something {degree}{adj} about {subject}{tail}.",
    "{open}{subject} {works}{tail}.",
    "{open}{subject} {works} {part}, and I was {moved}.",
    "{subject} is {adj}, {adj2} and {well} {made}.",
    "{open}{subject} {is} {adj} {part}; {remark}.",
    "{open}I was {degree}{moved} {part}, and {subject} {works}.",
    "{subject} left me {degree}{moved}{tail}.",
    "{open}{remark}.",
    "{remark}, and {remark2}.",
    "{subject} alone is {a:noun}{tail}.",
    "{open}{subject} is {a:noun}, and {subject2} {works}.",
    "How {adj} {subject} is, from the {scene} with the {role} to the {scene2} {place}!",
    "The {scene} {place} shows it best: {subject} {is} {degree}{adj}.",
)
ABOUT: dict[str, tuple[str, ...]] = {
    "film": (
        "{open}what {a:adj} {form}!",
        "{open}{title} is {a:adj} {form}, {well} {made}.",
        "The {form} is {well} {made} and {well2} {made2}{tail}.",
        "{open}{it} is {degree}{adj}, {adj2} and {well} {made}.",
    ),
    "direction": (
        "{director} has {directed} {a:adj} {form}{tail}.",
        "The {scene} with the {thing} is {well} {made} by {director}.",
        "{director} finds {a:adj} way to show what goes on {place}.",
    ),
    "acting": (
        "{actor} is {degree}{adj} as {hero}{tail}.",
        "{actor} gives {a:adj} performance, and {rival} {works} too.",
        "{rival} plays {foe} with {a:adj} face and {a:adj2} voice.",
        "{open}{extra} is {adj} in the part of the {role}.",
    ),
    "script": (
        "{writer}'s lines are {degree}{adj}, and {subject} {is} {adj2}.",
        "You get {a:adj} {scene}, {a:adj2} {scene2} and {a:thing}.",
        "The {scene} {place} {is} {adj}, and the one with the {role} {works}.",
    ),
}

# One opinion, said by denying its opposite: here the order of words decides.
NEGATED = (
    "{open}{subject} {isnt} {~mild}{tail}.",
    "{open}{subject} {isnt} really {~mild} {part}.",
    "{open}{subject} {isnt} {~mild} or {~mild2}.",
    "There is nothing {~mild} about {subject}{tail}.",
    "{open}I can't call {subject} {~mild}.",
    "{open}you won't find {a:~mild} {scene} {part}{tail}.",
    "{open}there is hardly {a:~mild} {scene} {part}.",
    "Nobody could say that {subject} is {~mild}{tail}.",
    "{open}I was not {~moved}, not even {part}.",
    "{actor} isn't {~mild} as {hero}, and {rival} isn't {~mild2} either.",
    "{open}this is not {a:~noun}{tail}.",
    "{open}I don't think that {subject} {~works}.",
    "Not one {scene} is {~mild} and not one {scene2} {~works}.",
    "{director} has never made {a:~mild} {form}, and this is no exception.",
    "It isn't {~well} {made}, and {subject} {isnt} {~mild}.",
    "Don't think for a minute that {subject} {~works}.",
)

# Both signs in one sentence: the main clause counts, the other is conceded, reported or hoped for.
CONTRAST = (
    "Although {subject2} is {~adj}, {subject} {is} {degree}{adj}.",
    "{open}{subject2} may be {~adj}, but {subject} {is} {adj}{tail}.",
    "{subject2} {~works}, yet {subject} {works}.",
    "In spite of {a:~adj} {scene} {part}, {subject} {is} {adj}.",
    "{subject} is {degree}{adj}, even if {subject2} is a little {~adj}.",
    "{open}{subject} {is} {adj} where it could have been {~adj}.",
    "{who} called it {a:~noun}, but if you ask me it is {a:noun}.",
    "{who} told me that {subject} was {~adj}, but I found it {adj}.",
    "I had heard that {it} was {~adj} and {~adj2}, but {subject} is {adj}{tail}.",
    "I expected {a:~noun} and got {a:noun}{tail}.",
    "The first minutes are {~adj}, but then {subject} {works}.",
    "With another {role} in the lead it might have been {~adj}; with {actor} it is {adj}.",
    "{old_title} was {~adj}. {title} is {adj}{tail}.",
    "Where {old_director} would have been {~adj}, {director} is {degree}{adj}.",
    "People who find {it} {~adj} should look at {subject} again: {remark}.",
    "{subject} could have been {~adj} with {a:~adj2} cast; it is {degree}{adj}.",
)

# An opinion that is somebody else's, or of another film: says nothing of this one.
HEARSAY = (
    "{open}{who} thought that {subject} was {any_adj}{tail}.",
    "{who} called it {a:any_noun}, and I asked why.",
    "{old_title} was {any_adj}, and so was {old_title2}.",
    "The {crowd} seemed {any_moved}{tail}.",
    "I have read somewhere that {it} is {any_adj} and {any_adj2}.",
    "{open}{old_director} made {a:any_adj} {form} about {a:thing}, which I saw {when}.",
    "{open}one {role} says {a:any_adj} thing and the {role2} {a:any_adj2} one.",
)

VERDICT = (
    "{open}{verdict}.",
    "{open}{verdict}!",
    "If you like {roles} and {things}, {verdict}.",
    "{open}{it} is {a:noun}, so {verdict}.",
    "{open}{it} is {degree}{adj}: {verdict}.",
    "All things considered, {title} is {a:adj} {form}.",
    "{open}{title} {works}, and {director} is {degree}{adj}.",
    "{open}this is {a:noun}{tail}.",
    "So now I know {it}: {a:adj}, {degree}{adj2} {form}.",
    "For fans of {actor}: {verdict}.",
)

RATED = ("{open}{rating}/10.", "I give it {rating} out of 10.", "My rating: {rating}/10, {verdict}.")
