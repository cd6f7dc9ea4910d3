"""Words of opinion, of both signs and many strengths.

Every list runs from frequent to rare, for ranks are drawn by Zipf's law. Lists of single words are split at white
space, lists of phrases at `|`. A word may stand in a list of praise and in
one of blame at different ranks: it then leans to one side without settling anything, as words do.
"""

from typing import NamedTuple

# --- opinions: what may be said of anything ---------------------------------------------------------------------------
POSITIVE = """good great nice fine fun wonderful excellent beautiful enjoyable interesting perfect solid lovely
amazing brilliant strong entertaining clever simple fantastic superb impressive pleasant original dark charming
fresh terrific memorable powerful serious touching effective outstanding engaging strange delightful honest
remarkable intelligent incredible quiet stunning moving sweet magnificent believable old-fashioned subtle
compelling fascinating marvelous satisfying splendid sincere odd rich warm unforgettable elegant convincing raw
witty thoughtful extraordinary gripping refreshing awesome slow exceptional unusual admirable inspired graceful
imaginative inventive playful confident flawless sentimental masterful captivating polished violent vivid lively
breathtaking sharp exquisite tender dazzling genuine glorious luminous poignant rewarding riveting skillful
spirited stylish mesmerizing sublime unique uplifting absorbing enchanting stirring thrilling assured radiant
ingenious exhilarating majestic lyrical bold accomplished spellbinding exciting heartwarming long loud agreeable
appealing arresting artful bewitching bracing buoyant bright celebrated classy coherent courageous crafty daring
deft disarming distinguished earnest electrifying energetic enlightening evocative faultless generous gentle
gratifying hearty humane hypnotic illuminating immaculate incisive insightful intoxicating invigorating
irresistible joyous judicious keen kinetic level-headed magical mature meaningful mighty noble novel passionate
patient perceptive persuasive phenomenal piercing praiseworthy precious profound provocative pure refined resonant
robust sane savvy searching seductive sensational sensible serene sophisticated sparkling startling stimulating
sturdy substantial sunny supple sure-footed tasteful teasing tidy unaffected unflinching urgent vibrant vigorous
virtuosic whimsical winning wise wondrous zestful"""

NEGATIVE = """bad boring poor stupid slow terrible weak dull awful silly long cheap predictable annoying horrible
strange ridiculous flat disappointing lame ordinary loud pointless mediocre painful odd simple sentimental
forgettable bland empty ugly messy dreadful tedious confusing clumsy shallow pathetic serious lousy dumb
unconvincing forced laughable tired uninspired dark hollow violent embarrassing contrived tiresome irritating stale
atrocious amateurish pretentious ludicrous lifeless trite sloppy abysmal old-fashioned crude quiet dismal
unbearable unusual incoherent derivative raw half-baked plodding pitiful insipid muddled murky lackluster
monotonous formulaic insulting soulless underwhelming feeble appalling bloated gimmicky juvenile dire dreary
artificial awkward limp smug sluggish leaden witless inane shoddy vapid inept wretched turgid overwrought
repetitive tasteless preachy obnoxious disjointed sweet absent-minded aimless alienating anemic arbitrary asinine
banal barren botched brainless callous charmless chaotic clueless cluttered cloying cynical deadening deficient
depressing desperate dim disagreeable disastrous dishonest dopey drab excruciating exhausting exploitative faceless
fatuous flabby flimsy foolish forlorn frustrating garbled ghastly graceless grim haphazard hideous humorless
hysterical idiotic impersonal inadequate inconsistent indifferent indulgent inert inexcusable infuriating
insufferable irrelevant joyless labored laborious listless lumbering maddening mangled meager mechanical mindless
misguided misjudged moronic mushy nasty needless numbing obvious off-putting paltry patronizing perfunctory pompous
puzzling rambling rancid regrettable repellent ropey rotten rudderless scrappy shabby sickly sketchy skimpy
slapdash soggy sorry spineless spotty stodgy strained superficial tacky toothless toxic trivial ungainly
unimaginative unoriginal unpleasant unremarkable vacant vague wasteful weary wishy-washy woeful"""


class Aspect(NamedTuple):
    """What the aspect is called, and the praise and blame that fit nothing else."""

    subjects: str
    praise: str
    blame: str


ASPECTS = {
    "film": Aspect(
        "the film|the movie|this film|this movie|the picture|the whole thing|this one|the production|the end product",
        "watchable timeless worthwhile underrated ambitious likable essential life-affirming feel-good high-class",
        "overlong overrated unwatchable dated generic low-rent straight-to-video misbegotten second-rate throwaway",
    ),
    "acting": Aspect(
        "the acting|the cast|the lead performance|the supporting cast|every performance|the casting|the ensemble",
        "natural nuanced expressive committed charismatic restrained understated soulful truthful effortless "
        "commanding magnetic versatile fearless layered",
        "wooden overdone stiff hammy expressionless unnatural one-note robotic stagey phoned-in mannered "
        "cartoonish theatrical mumbling anonymous",
    ),
    "direction": Aspect(
        "the direction|the directing|the staging|the handling of the material|the director's touch|the approach",
        "visionary sensitive disciplined meticulous economical precise sure-handed unobtrusive fluid muscular",
        "heavy-handed incompetent pedestrian self-indulgent showy careless timid uncertain anonymous flashy",
    ),
    "story": Aspect(
        "the story|the plot|the storyline|the premise|the narrative|the central idea",
        "intriguing suspenseful unpredictable plausible involving layered mysterious intricate relevant "
        "well-constructed",
        "implausible nonsensical far-fetched convoluted recycled illogical hackneyed threadbare paper-thin senseless",
    ),
    "script": Aspect(
        "the script|the dialogue|the writing|the screenplay|the narration",
        "literate quotable crisp observant economical snappy articulate unsentimental nimble spare",
        "corny cheesy clunky wordy lazy hokey stilted didactic cringe-inducing tin-eared",
    ),
    "characters": Aspect(
        "the main character|the villain|the hero|the heroine|the central couple|the sidekick",
        "likable sympathetic complex relatable endearing human three-dimensional lovable rounded resourceful",
        "unlikable whiny one-dimensional stereotypical underdeveloped unsympathetic cardboard bratty selfish sketchy",
    ),
    "music": Aspect(
        "the music|the score|the soundtrack|the title song|the sound design",
        "haunting catchy melodic soaring infectious lush rousing hummable jazzy soothing",
        "grating intrusive blaring generic overbearing syrupy deafening tuneless tinny droning",
    ),
    "camera": Aspect(
        "the photography|the camera work|the cinematography|the lighting|the look of the film|the framing",
        "gorgeous atmospheric crisp fluid moody sumptuous eye-catching painterly picturesque velvety",
        "shaky grainy blurry muddy nauseating overexposed drab underlit washed-out jittery",
    ),
    "effects": Aspect(
        "the effects work|the stunt work|the make-up|the animation|the creature design",
        "realistic spectacular seamless lifelike jaw-dropping handcrafted state-of-the-art tactile convincing "
        "explosive",
        "fake cheesy plastic rubbery unfinished cheap-looking pixelated cardboard dated unintentional",
    ),
    "pacing": Aspect(
        "the pacing|the rhythm|the middle section|the first hour|the second half|the build-up",
        "brisk tight relentless measured taut unhurried breathless well-judged nimble swift",
        "sluggish uneven draggy rushed choppy interminable glacial erratic saggy lethargic",
    ),
    "ending": Aspect(
        "the ending|the finale|the last scene|the final twist|the climax",
        "surprising earned bittersweet hopeful shocking triumphant cathartic tearful ambiguous open",
        "abrupt tacked-on anticlimactic unresolved baffling ambiguous telegraphed rushed random incomprehensible",
    ),
    "humor": Aspect(
        "the humor|the comedy|the comic timing|the slapstick|the satire",
        "hilarious dry infectious wry deadpan sly offbeat irreverent side-splitting mischievous",
        "unfunny crass vulgar desperate mean-spirited puerile dry childish sophomoric groan-inducing",
    ),
    "mood": Aspect(
        "the atmosphere|the mood|the tone|the sense of place|the world of the film",
        "eerie tense intimate immersive dreamlike nostalgic cozy wistful melancholy romantic",
        "gloomy cold sterile oppressive melancholy mawkish claustrophobic jumbled uneasy icy",
    ),
    "setting": Aspect(
        "the set design|the costume work|the scenery|the period detail|the location work",
        "authentic colorful lavish sumptuous opulent detailed period-perfect scenic ornate rustic",
        "unrealistic garish flimsy threadbare anachronistic makeshift gaudy drab dusty plain",
    ),
}

PRAISE = """gem|masterpiece|treat|classic|joy|triumph|delight|winner|pleasure|success|surprise|treasure|revelation|
hidden gem|must-see|work of art|marvel|landmark|jewel|feast|breath of fresh air|achievement|wonder|crowd-pleaser|
charmer|miracle|tour de force|knockout|milestone|labor of love|sleeper|beauty|blessing|showcase|tonic|bullseye|
powerhouse|small wonder|lesson in filmmaking|love letter to cinema|thing of beauty"""

BLAME = """mess|waste of time|disaster|bore|joke|failure|disappointment|surprise|letdown|turkey|flop|insult|chore|
dud|embarrassment|stinker|travesty|misfire|bomb|cash-in|rip-off|train wreck|fiasco|missed opportunity|snooze|
clunker|headache|ordeal|cheap knock-off|abomination|experiment|botch|shambles|yawn|hodgepodge|catastrophe|eyesore|
wild goose chase|sham|lesson in boredom|cure for insomnia|pile of leftovers|mishmash"""

WORKS = """works|delivers|impresses|shines|delights|succeeds|surprised me|pays off|holds up|charms|moves you|
sparkles|stays with you|feels real|captivates|lifts the film|hits the mark|soars|wins you over|rings true|dazzles|
glows|enthralls|resonates|never drags|earns its tears|keeps you guessing|gets under your skin|exceeds all hopes|
sings|makes you care|rewards attention|steals the show|sets the standard|gathers strength|takes your breath away|
clicks|breathes|disarms|blossoms|sweeps you along|lingers for days"""

FAILS = """fails|drags|surprised me|disappoints|falls flat|bores|makes no sense|goes nowhere|annoys|stumbles|
falls apart|collapses|sinks the film|leaves you cold|wears thin|grates|misfires|lets everyone down|
runs out of steam|irritates|insults the audience|limps along|backfires|feels fake|gets on your nerves|
wastes your time|misses the mark|flounders|evaporates|puts you to sleep|tests your patience|never takes off|
fizzles|sputters|rings false|overstays its welcome|defies belief|deflates|implodes|flatlines|trips over itself|
creaks"""

WELL = """well beautifully wonderfully nicely brilliantly perfectly cleverly superbly skillfully carefully simply
elegantly masterfully expertly lovingly vividly gracefully tastefully imaginatively deftly confidently exquisitely
finely thoughtfully tenderly smartly crisply soulfully sensitively impeccably gorgeously marvelously splendidly
delicately honestly shrewdly intelligently sumptuously wittily movingly inventively generously sharply playfully
slowly"""

BADLY = """badly poorly terribly slowly clumsily horribly awfully simply lazily sloppily carelessly dreadfully
crudely ineptly cheaply weakly stiffly awkwardly amateurishly abysmally atrociously pathetically hurriedly
indifferently tediously heavily incoherently haphazardly feebly woefully crassly lifelessly pompously listlessly
joylessly mechanically drearily shoddily limply tastelessly hastily confusingly embarrassingly carefully
predictably"""

MOVED = """impressed|moved|hooked|charmed|touched|delighted|surprised|thrilled|entertained|fascinated|amused|
riveted|enchanted|captivated|enthralled|spellbound|dazzled|gripped|grateful|blown away|smitten|humbled|cheering|
transported|exhilarated|invigorated"""

UNMOVED = """bored|disappointed|annoyed|surprised|confused|irritated|baffled|embarrassed|let down|asleep|exhausted|
puzzled|unmoved|disgusted|insulted|yawning|depressed|appalled|bewildered|indifferent|restless|numb|angry|
frustrated|groaning|nauseated|dumbfounded"""

# --- adverbs of degree: they tell how strongly something is meant, never which way ------------------------------------
MILDLY = """rather|quite|fairly|pretty|a little|somewhat|mostly|slightly|a bit|generally|more or less|mildly|
reasonably|kind of|sort of|moderately|relatively|vaguely|largely|partly|tolerably|comparatively"""

STRONGLY = """very|really|so|truly|absolutely|just|totally|completely|extremely|simply|utterly|incredibly|
thoroughly|genuinely|deeply|positively|downright|consistently|remarkably|enormously|unbelievably|hugely|entirely|
exceptionally|unspeakably|staggeringly|astonishingly|wildly|supremely|outrageously|relentlessly|flat-out|insanely|
profoundly"""
