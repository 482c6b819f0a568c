"""lrtune tunes the learning rate, its decay type and its decay factors on your own table."""

__version__ = "0.1.0"
