--!nowarn W1 --~ W3003:1 has no effect here
print(1)
