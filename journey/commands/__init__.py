"""The command line, `journey`: enlarge, plan and print pictures from a terminal or a script.

main      the command and its parts          upscale   pictures, here or at JourneyAPI
amounts   papers, lengths and sizes as words  here      many pictures on this machine
given     what pictures are meant            hosted    orders at JourneyAPI, in the studio's own history
showing   progress, plain lines or JSON      plan, print_file, tasks, networks, doctor, serving: one command each

Modules import what they need when they are asked for it, so that `journey --help` is quick.
"""
