"""The board: what may be compared, ranked, said in words, exported; and which run serves for each net."""
