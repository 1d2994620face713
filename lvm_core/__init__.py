"""The engine of LVM Studio: latent vector models from text to text.

Data flows one way: sources -> chunks -> vectors -> windows -> net -> prediction -> snap -> text.
"""

import os

os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
# oneDNN keeps the code that it compiles for every shape it meets, 1,024 of them by default and without end for a person
# who waits: texts of any length are ever new shapes. After six decodes it held 300 MB; 64 cost no time and hold 40 MB.
# It is read once, before the first product.

__version__ = "0.1.0"
