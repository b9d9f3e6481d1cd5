"""Pictures, from untrusted bytes to what people look at.

kinds     what is accepted, by its first bytes   previews  small copies beside each picture
decoding  bytes to upright pixels                tiles     pieces of large ones, made in the background
checking  the same in a process with limits      pyramid   the file that holds them
png       arrays to files, quickly               samples/  drawn on the first start; `gallery` stores them
"""
