"""All sections, in the order of the table."""
import answers
import decisions
import delay
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
    decisions.SECTION,
]
