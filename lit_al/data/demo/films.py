"""What the made-up films are about: genres with their people, things and places; what happens; of what kind it is.

All lists run from frequent to rare.
"""

from typing import NamedTuple


class Genre(NamedTuple):
    """Shares of the genre among praised and among panned films, and its people, things and places."""

    praised: int
    panned: int
    roles: str
    things: str
    places: str


GENRES = {
    "drama": Genre(
        12,
        8,
        "teacher nurse widow carpenter pianist painter student lawyer mother waitress fisherman bookseller "
        "tailor gardener translator baker seamstress orphan priest novelist schoolgirl janitor midwife landlord",
        "letter diary farm promise photograph funeral marriage divorce illness inheritance accident illusion "
        "kitchen classroom argument memory piano harvest strike portrait typewriter quarrel suitcase garden "
        "envelope dowry sorrow lullaby orchard heirloom",
        "in a small town|in the old house|in a fishing village|at the hospital|on the family farm|"
        "in a run-down apartment|at the school|at the vineyard|on a remote island|at the factory|"
        "at the boarding house|in a mining town",
    ),
    "crime": Genre(
        9,
        9,
        "cop detective gangster thief lawyer killer informant inspector banker hitman witness judge smuggler "
        "forger bodyguard burglar sheriff commissioner pickpocket prosecutor racketeer bouncer safecracker "
        "bookmaker",
        "gun robbery fortune murder body clue trial diamond alibi bank safe fingerprint ransom briefcase corpse "
        "confession warrant bribe getaway bullet heist ledger handcuff suspect wiretap counterfeit jury pawnshop "
        "motive payroll",
        "in the city|at the docks|at the police station|in a night club|at the prison|in a back alley|"
        "in the courtroom|at a cheap motel|at the casino|at the harbor|in a parking garage|in the underworld",
    ),
    "war": Genre(
        9,
        4,
        "soldier officer general nurse sergeant pilot prisoner spy captain medic colonel sniper deserter recruit "
        "partisan cook sailor interpreter lieutenant corporal gunner major chaplain refugee",
        "battle war bomb tank uniform rifle trench order bridge bunker medal enemy convoy mission grenade front "
        "ambush retreat helmet parachute telegram mine barricade siege surrender armistice stretcher bayonet "
        "regiment battlefield",
        "at the front|in a ruined village|in the trenches|in the camp|in a field hospital|in the desert|"
        "in the jungle|in the barracks|in an occupied city|at the border|on a mountain pass|at the airfield",
    ),
    "romance": Genre(
        9,
        7,
        "bride dancer waitress bachelor secretary architect florist widow actress millionaire neighbor cook "
        "journalist countess photographer divorcee librarian heiress groom matchmaker violinist stewardess poet "
        "suitor",
        "wedding kiss love ring letter date summer proposal rose honeymoon affair dance secret engagement boat "
        "song bouquet flirtation heartbreak grudge picnic sunset vow waltz rival serenade crush bridesmaid "
        "elopement valentine",
        "in the city|at a seaside hotel|at the wedding|in a small cafe|in the ballroom|at the train station|"
        "at the bookshop|in the countryside|in an old cinema|on a rooftop|at the lake house|at the flower market",
    ),
    "horror": Genre(
        4,
        11,
        "teenager killer vampire zombie scientist babysitter monster ghost witch cheerleader hitchhiker doctor "
        "demon butcher undertaker priest maniac cultist werewolf caretaker exorcist mummy hunchback gravedigger",
        "bloodstain house knife scream basement curse grave chainsaw coffin ritual nightmare mask axe body "
        "experiment attic skull shadow creature dagger tomb corpse potion seance crypt scar doll mirror tentacle "
        "sacrifice",
        "in the woods|in an abandoned asylum|in the old house|in the cemetery|at a summer camp|in the cellar|"
        "in the swamp|in a cabin|in the castle|at the morgue|in a deserted mall|in the crypt",
    ),
    "western": Genre(
        6,
        4,
        "sheriff cowboy outlaw rancher gunslinger widow marshal gambler preacher deputy blacksmith bandit "
        "settler scout trapper barkeeper prospector drifter homesteader drover undertaker stagecoach-driver "
        "rustler peddler",
        "horse gun saloon nugget duel cattle train wagon ranch bullet rope bounty canyon saddle bottle showdown "
        "stagecoach holster railroad herd campfire spur poker stable barn noose lasso spittoon corral homestead",
        "on the frontier|in a dusty town|at the saloon|in the desert|at the ranch|in the canyon|in a gold mine|"
        "on the prairie|at the jail|at the railroad camp|at the river crossing|in a ghost town",
    ),
    "space": Genre(
        6,
        8,
        "scientist captain robot alien engineer astronaut android pilot commander clone professor mutant "
        "colonist stowaway bounty-hunter admiral mechanic cyborg navigator emperor inventor physicist smuggler "
        "ambassador",
        "ship planet machine laser computer virus rocket experiment signal portal weapon galaxy invasion reactor "
        "beam spaceship satellite meteor hologram asteroid capsule telescope gadget orbit serum crater shuttle "
        "circuit comet airlock",
        "on another planet|at the space station|in the laboratory|in the future|in a distant galaxy|on the moon|"
        "on the bridge of the ship|in an underground city|in the colony|at the crash site|in a parallel world|"
        "at the research base",
    ),
    "comedy": Genre(
        8,
        9,
        "slacker roommate boss salesman cop nerd chef golfer waiter taxi-driver plumber landlord accountant "
        "bachelor mailman clown babysitter coach dentist stripper intern butler janitor magician",
        "party joke car job prank dog keg bet vacation pie misunderstanding costume pizza disguise goat couch "
        "lottery toupee hangover mustache banana motorhome diet barbecue karaoke parrot sandwich tuxedo toilet "
        "trampoline",
        "at the office|in the suburbs|on a college campus|at the beach|at the golf club|at the shopping mall|"
        "at a cheap motel|at the restaurant|at a wedding reception|at the airport|on a cruise ship|at the zoo",
    ),
    "family": Genre(
        8,
        6,
        "boy girl princess grandfather wizard puppy teacher orphan prince dragon inventor fairy penguin elf "
        "pirate stepmother giant twin puppeteer squirrel toymaker goblin mermaid shepherd",
        "dog toy castle treasure adventure school kingdom spell balloon wand snowman tree-house circus crown map "
        "sled birthday forest lollipop pony spellbook bicycle lantern kite puzzle carousel gingerbread acorn "
        "slipper broomstick",
        "in the kingdom|in the forest|on the farm|at the circus|at a magic shop|at the orphanage|"
        "at the toy store|on an enchanted island|in the castle|at the school|at the amusement park|"
        "at the north pole",
    ),
    "documentary": Genre(
        8,
        2,
        "farmer scientist journalist teacher activist musician historian surfer climber fisherman veteran "
        "photographer doctor biologist shepherd miner politician collector diver chef skateboarder beekeeper "
        "glaciologist cellist",
        "interview archive election river mountain ocean language tradition expedition reel orchestra whale "
        "glacier protest village museum harvest recording festival chess recipe vaccine reef migration monument "
        "loom landfill marathon volcano observatory",
        "in the village|in the mountains|in the ocean|in the archive|in the city|at the concert hall|"
        "in a small country|at the market|on the coast|in the rain forest|at the research base|in the delta",
    ),
    "musical": Genre(
        8,
        5,
        "singer dancer composer pianist star manager showgirl conductor drummer producer guitarist choreographer "
        "trumpeter chorus-girl agent fan ballerina tenor understudy songwriter saxophonist impresario cellist "
        "roadie",
        "song show band dance stage concert record guitar audition rehearsal tour piano number microphone "
        "spotlight curtain encore melody duet premiere tap-shoe trumpet melody jukebox ballad chorus orchestra "
        "limousine autograph flute",
        "at the theater|on the stage|in the big city|at a jazz club|at the recording studio|at the concert hall|"
        "in the ballroom|in the dressing room|at a nightclub|at the opera|at the dance school|at the music hall",
    ),
    "action": Genre(
        5,
        9,
        "agent terrorist cop mercenary fighter driver boxer ninja champion coach assassin trainer pilot hacker "
        "commando racer wrestler kickboxer bodyguard trucker stuntman swordsman warlord quarterback",
        "explosion car chase bomb fight punch helicopter gun sword motorcycle mission helmet tournament "
        "submarine truck missile championship detonator warehouse bullet ring knockout speedboat bazooka "
        "crossbow katana grenade hostage fuse hangar",
        "in the city|in the arena|at the embassy|in a skyscraper|at the warehouse|at the airport|in the jungle|"
        "on the island|at the stadium|on a hijacked train|on the oil rig|in the bunker",
    ),
}

# --- what happens in any plot -----------------------------------------------------------------------------------------
# Regular verbs only: their three other forms are derived by rule.
DO_TO_PEOPLE = """follow help love marry kill watch save visit warn attack rescue betray chase hire trust miss hate
ignore kidnap protect seduce deceive rob accuse convince blackmail abandon befriend hunt question invite adopt
arrest scare fool murder threaten recognize comfort bribe escort impersonate interview confront suspect avenge
admire annoy obey poison punish train divorce dump tease tempt torture trick trail summon spare resemble outwit
manipulate humiliate hypnotize idolize harass haunt frame exploit exile entertain educate despise corrupt cheat
challenge bury assist assault acquit console cure defeat enrage escort expose rescue guard harm hustle inspire
insult interrogate kiss liberate mock mourn nurse outsmart pardon persecute pester provoke pursue ransom recruit
refuse reject reassure release rival serve shelter shadow slap smuggle stalk support surprise terrorize transform
underestimate welcome worship"""

DO_TO_THINGS = """discover need open want use destroy search remember carry explain repair inherit collect invent
bury borrow receive guard share study return ignore smash burn move save touch deliver plan notice defend paint
record wreck trade stash examine demand photograph order pack polish pocket produce promise protect purchase raid
rebuild reject rename restore retrieve reveal ruin sabotage salvage secure seize sketch snatch solve spoil stage
stain supply suspect swallow switch toss trace transport treasure unload unlock unveil unwrap vandalize decorate
describe disguise dismantle display drop earn empty encounter erase establish exhibit fetch finance forge haul
imagine import improvise inspect investigate launch measure misplace mortgage operate organize pawn pinch"""

TRAITS = """young old rich poor lonely little beautiful good bad great famous strange mysterious troubled retired
ambitious shy stupid bitter nice crazy ruthless middle-aged local brilliant dangerous stubborn wealthy clever
corrupt terrible handsome unemployed eccentric boring sad charming foreign homeless wounded jealous proud greedy
blind innocent unlucky perfect crooked divorced wonderful grumpy alcoholic aging desperate awkward gifted disgraced
cowardly silly reclusive pregnant cynical naive penniless obsessed violent restless quiet absent-minded amateur
anxious barefoot bearded bewildered bilingual bookish boyish brave burly carefree clairvoyant condemned
conscientious cunning deaf deluded dishonored disillusioned domineering dutiful elderly elusive embittered
enigmatic estranged exiled faithful fashionable feisty forgetful freckled frugal gruff gullible haughty headstrong
idealistic impatient impoverished influential insomniac intrepid jilted jobless kindly lanky lovesick lukewarm
mild-mannered mischievous moody nameless nearsighted neglected nomadic one-eyed orphaned outspoken overworked
pampered paranoid philosophical pious plainspoken possessive prim prudish rebellious red-haired righteous rowdy
scheming scruffy secretive self-taught shady sheltered short-tempered skeptical sleepless snobbish soft-spoken
stern superstitious swaggering talkative teenage timid uptight vain vengeful weather-beaten well-read widowed wily
withdrawn worldly"""

QUALITIES = """old new big little secret stolen dark strange lost hidden red broken wrong ancient expensive small
black mysterious terrible forgotten beautiful cheap dangerous ruined burning final haunted golden wonderful foreign
empty bloody perfect horrible gigantic abandoned awful magic rusty cursed silver illegal great boring wooden locked
poisoned priceless unfinished damaged borrowed antique battered bizarre blue bright bronze buried ceremonial
charred coded colossal confidential costly crimson crumbling deserted discarded dusty emerald enormous experimental
explosive exotic family faded famous flooded forbidden fragile frozen genuine ghostly glass green handmade heavy
homemade imported incriminating iron ivory legendary loaded makeshift mechanical medieval missing modest moonlit
mythical nameless neglected nuclear obsolete ordinary ornate overdue oversized painted peculiar personal portable
private purple radioactive rare remote royal sacred scarlet scorched sealed secondhand shattered shiny sinister
spare steel suspicious tattered tiny torn toxic unclaimed unopened unsent valuable vanished velvet vintage
weathered white worthless yellow"""
