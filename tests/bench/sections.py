"""All sections, in the order of the table."""
import answers
import decisions
import pipe
import records
import tick

ALL = [pipe.SECTION, answers.SECTION, records.SECTION, tick.SECTION, decisions.SECTION]
