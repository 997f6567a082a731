"""All sections, in the order of the table."""
import answers
import delay
import flat
import launch
import messages
import pipe
import records
import tick

ALL = [
    pipe.SECTION,
    answers.SECTION,
    records.SECTION,
    delay.SECTION,
    messages.SECTION,
    launch.SECTION,
    tick.SECTION,
    flat.SECTION,
]
