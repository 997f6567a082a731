"""All sections, in the order of the table."""
import answers
import flat
import launch
import pipe
import records
import tick

ALL = [
    pipe.SECTION,
    answers.SECTION,
    records.SECTION,
    launch.SECTION,
    tick.SECTION,
    flat.SECTION,
]
