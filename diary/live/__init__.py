"""The live socket, on which open tabs receive replies and openings while they are generated.

consumers  the socket of one tab
protocol   the frames that a tab sends
streaming  the frames that a tab receives
"""
