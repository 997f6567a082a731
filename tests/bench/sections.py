"""All sections, in the order of the table."""
import answers
import delay
import flat
import idle
import launch
import memory
import messages
import pipe
import records
import start
import tick

ALL = [
    pipe.SECTION,
    answers.SECTION,
    messages.SECTION,
    delay.SECTION,
    records.SECTION,
    launch.SECTION,
    start.SECTION,
    idle.SECTION,
    memory.SECTION,
    tick.SECTION,
    flat.SECTION,
]
