from lit_al.utils.countdown import Countdown


def test_countdown_says_how_far_it_is_and_how_long_it_takes_by_the_speed_of_this_run():
    now, said = [100.0], []
    countdown = Countdown(said.append, "texts", 1_600, lambda: now[0])
    for seconds, number in ((0, 1_000), (0.5, 50), (4.5, 50), (0.2, 1), (4.8, 99)):
        now[0] += seconds
        countdown(number)
    assert said == [
        "texts: 1,000 of 1,600",  # of an earlier run
        "texts: 1,100 of 1,600, 0:00:25 left",
        "texts: 1,200 of 1,600, 0:00:20 left",
    ]
