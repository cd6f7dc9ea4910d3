"""Words around the opinion: who said so, when and where, how sentences start and end; and the syllables of names.

All lists run from frequent to rare; none of them says whether the film is good.
"""

OTHERS = """my wife|my brother|my husband|everybody|a friend|the critics|my sister|my mother|my girlfriend|
some people|a colleague|my boyfriend|the friend who lent me the tape|my father|the trailer|
the guy at the video store|my roommate|most reviewers here|my boss|the back of the box|a famous critic|my neighbor|
my cousin|the poster|my daughter|my son|our local paper|my professor|the man in front of me|my aunt|
half the internet|the festival program|my grandmother|a magazine|my dentist|the newspaper|my best friend|
the fan club|my film class|a taxi driver|the usher|my uncle"""

FRIENDS = """my wife|my brother|a friend|my husband|my sister|my mother|my girlfriend|a colleague|my boyfriend|
my father|the guy at the video store|my roommate|my boss|my neighbor|my cousin|my daughter|my son|my professor|my aunt|
my uncle|my grandmother|my dentist|my best friend|a taxi driver|my accountant|our librarian|
the girl next door|my landlord"""

WHEN = """last night|yesterday|as a kid|years ago|last week|on a rainy Sunday|in the theater|on television|
on cable|late at night|on video|at a festival|on an old tape|on a plane|last summer|over the holidays|
with my family|by accident|in film school|on a friend's advice|when it came out|for the third time|
on the big screen|at a sneak preview|in college|with a sold-out crowd|in a nearly empty theater|during a snowstorm|
on my birthday|on a bus trip|at the library|at the drive-in|with low expectations|with high hopes|in a hotel room|
after a long day|instead of sleeping|for free"""

SCENES = """scene|moment|sequence|shot|dialogue|chase|speech|flashback|fight|montage|subplot|joke|dream sequence|
song|close up|confrontation|twist|monologue|conversation|cameo|kiss|transition|reunion|rehearsal|standoff|farewell|
interlude|cliffhanger|prologue|epilogue|voice over|breakfast scene|love scene|death scene|car chase|courtroom scene"""

PARTS = """in the second half|at the start|near the end|in the first act|throughout|in the middle|
from start to finish|in the opening|after the first hour|in the last half hour|in the big scenes|
in the quiet scenes|between the songs|before the credits|in the third act|in the dialogue scenes|
for long stretches|in the background|toward the finale|in every frame|on a second viewing|in the close-ups|
once the plot gets going|in the flashbacks|during the chase"""

OPENERS = """Frankly,|To be honest,|In the end,|Well,|Also,|For me,|In my opinion,|On top of that,|Then again,|
Besides,|I must say|Of course,|Overall,|After all,|As for the rest,|I have to admit|All in all,|Anyway,|
To be fair,|And|But|Sure,|Personally,|Believe me,|Make no mistake,|Still,|What is more,|Say what you like,|
As far as I am concerned,|Looking back,|At the same time,|Truth be told,|By the way,|Mind you,|
Come to think of it,|In all seriousness,|Granted,|Strictly speaking,|Let me put it this way:|For what it's worth,|
Needless to say,|If you ask me,|I suppose|As usual,|For the record,|Curiously,|Between you and me,|
As a longtime fan I can say that|Once more,|On reflection,|To my mind"""

TAILS = """, to say the least|, in my opinion|, if you ask me|, and that is that|, I think|, no question|
, as always|, at least for me|, and I mean it|, period|, believe it or not|, more than once|, for the most part|
, I'm afraid to say|, as you would expect|, and not by accident|, whatever the critics say|, year after year|
, as my wife put it|, at least on a big screen|, and everyone around me agreed|, even by the standards of its day|
, I have to say|, from what I remember|, and it shows|, by any measure|, through and through|
, considering the budget|, oddly enough"""

COPULAS = """is|was|is|seems|feels|remains|looks|turns out to be|comes across as|proves|strikes me as|stays|
gets to be"""

NEGATORS = """is not|isn't|was not|wasn't|is hardly|was never|is anything but|is far from|is never|is in no way|
isn't exactly|can't be called|is by no means|never gets|is not remotely|is the opposite of|never becomes|
was scarcely|could not be called|stops short of being|isn't what I'd call|is not for one second"""

MAKERS = "made|shot|directed|written|edited|acted|photographed|staged|designed|told|put together|scored|cast|lit|filmed"

DIRECTED = "made|directed|filmed|shot|staged|turned in|delivered|assembled|put together|pulled off|signed"

FORMS = "comedy|thriller|drama|story|sequel|remake|film|adaptation|movie|satire|tale|picture|mystery|epic|fable|debut"

CROWD = """audience|theater|crowd|row behind me|whole family|kids|woman next to me|friends I brought|
couple behind us|usher|teenagers in front|man beside me|class|matinee crowd"""

TRIVIA = """the budget|the studio|the original novel|the stage play|the first cut|the poster|the shooting schedule|
the director's cut|the television version|the old serial|the short story|the dubbed version|the restoration|
the sequel|the financing|the second unit|the location permit|the costume budget|the foreign release|the reshoot"""

HAPPENED = """was cut by the studio|was lost for years|changed hands twice|took three years|
was shown on late-night television|came out on disc last spring|ran into trouble|was rewritten on the set|
is hard to find these days|was shot in six weeks|is said to be longer|got a new title abroad|
was banned in some countries|won a prize somewhere|is quite different|was finished by someone else|
was announced twice|is kept in an archive|had to be postponed|went unnoticed"""

# --- names: an onset, perhaps a middle, an end ------------------------------------------------------------------------
FIRST_NAMES = (
    "Al Ber Cor Da El Fen Gar Hel Is Jo Kar Lor Mar Nel Or Pel Ros Sel Tam Ul Vic Wen Yor Zel Bri Clau Dor Em Fre Ste",
    " a e i o ",
    "na nard ric lia bel ton vin ra mund sa dine lo rick ma wyn tta las ven dora bert",
)
SURNAMES = (
    "Ab Ack Bar Ben Blom Bran Cal Car Chad Cor Dal Dav Del Don Dre Ed Ek Fal Far Fen Gal Gar Gol Gris Hal Ham Har Hol "
    "Ing Jar Kal Ken Kol Lam Lan Lin Lor Mal Mar Mel Mon Nor Ob Ol Pan Per Pol Quin Ral Ran Ros Sal San Sel Stan Tal "
    "Tar Tor Ul Van Ver Vol Wal Wes Yar Zan",
    " a e i o u an el er in or is al en ov ar",
    "berg by cott dale der dorf ell ens field ford gan ham ington ka kin land ler man mont more nar ner ney ov "
    "quist rick ring ris ro sen ski smith son stein stock ston tano telli ter ton verra vich ville way wick win witz "
    "wood worth",
)
TOWNS = (
    "Ash Bel Birch Cold Crow Dun East Elm Fair Glen Green Had Iron King Lang Mill New North Oak Pine Red Rock Salt "
    "Shel South Stone Thorn West White Wind",
    " a er en ing",
    "bridge brook bury dale field ford gate ham haven hill land ley mere mouth port ridge side stead ton view ville "
    "water wick wood",
)
TITLE_FIRSTS = """Last Dark Lost Silent Golden Broken Midnight Secret Crimson Forgotten Burning Hidden Winter Blue
Distant Savage Hollow Eternal Second Paper Crooked Endless Painted Restless Velvet Iron Stolen Summer Glass Wicked"""
TITLE_SECONDS = """House Night River Garden Promise Road Stranger City Shadow Heart Island Mirror Kingdom Summer
Crossing Letter Harbor Hunter Storm Bride Empire Carnival Witness Tower Harvest Voyage Orchard Verdict Waltz
Lantern"""
