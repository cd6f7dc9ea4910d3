"""What leaves the house: a model as files that other programs run, and the gate that says whether it may."""
