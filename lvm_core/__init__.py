"""The engine of LVM Studio: latent vector models from text to text.

Data flows one way: sources -> chunks -> vectors -> windows -> net -> prediction -> snap -> text.
"""

__version__ = "0.1.0"
