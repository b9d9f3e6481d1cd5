"""Pictures, from untrusted bytes to what people look at.

kinds      what is accepted, by its first bytes       png       rows to files, quickly
decoding   bytes to upright pixels                    previews  small copies beside each picture
streaming  the same row by row, where that can be     tiles     pieces of large ones, made in the background
checking   both, in a process with limits             pyramid   the file that holds them
rows       pictures of which only a part is held      samples/  drawn on the first start; `gallery` stores them
detail     where there is most to see
"""
